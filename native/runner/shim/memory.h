// What a shim costs while nothing happens: on a board with many pods, most of what the agent costs.
#pragma once

namespace edgepod {

// Sets the allocator up for a process that is small nearly all the time. Call before anything else.
void keep_memory_small();

// Gives back what a rare piece of work (a start, an exec) has left.
void release_memory();

}  // namespace edgepod
