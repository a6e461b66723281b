// What a shim costs while nothing happens: on a board with many pods, most of what the agent costs.
#pragma once

namespace edgepod {

// Sets the allocator up for a process that is small nearly all the time. Call before anything else.
void keep_memory_small();

// Gives back what a rare piece of work (a start, an exec) has left: free heap, and the program's own pages in
// the page table, which the kernel maps 16 at a time around each one used. They stay in the page cache, and
// those of the idle loop are mapped again as it goes on. Takes some 10 microseconds.
void release_memory();

}  // namespace edgepod
