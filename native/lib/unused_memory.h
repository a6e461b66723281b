// Giving back what a process keeps only because it once touched it.
#pragma once

namespace edgepod {

enum class Mapped { Program, WithLibraries };

// Free heap, and the pages of read-only segments in the page table, which the kernel maps 16 at a time around
// each one used. They stay in the page cache, now as the first to go when memory is short; those in use are
// mapped again as the process goes on. Takes 10 microseconds for a small program, a millisecond for Node.
void release_unused_memory(Mapped mapped);

}  // namespace edgepod
