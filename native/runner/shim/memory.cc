#include "runner/shim/memory.h"

#include <malloc.h>

#include "lib/unused_memory.h"

namespace edgepod {
namespace {

// Parsers work in chunks of 64 KiB: mapped on their own, they go back to the kernel as soon as they are
// freed.
constexpr int kMapThreshold = 32 * 1024;

}  // namespace

void keep_memory_small() {
  mallopt(M_MMAP_THRESHOLD, kMapThreshold);
  mallopt(M_TRIM_THRESHOLD, kMapThreshold);
  mallopt(M_TOP_PAD, 0);
  mallopt(M_ARENA_MAX, 1);
}

void release_memory() { release_unused_memory(Mapped::Program); }

}  // namespace edgepod
