#include "runner/shim/memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace edgepod {
namespace {

// Parsers work in chunks of 64 KiB: mapped on their own, they go back to the kernel as soon as they are
// freed.
constexpr int kMapThreshold = 32 * 1024;

// Only segments that can never have been written to: dropping a page of another loses what was written.
int drop_read_only_segments(dl_phdr_info* program, size_t, void*) {
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < program->dlpi_phnum; i++) {
    const auto& segment = program->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    uintptr_t begin = (program->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    uintptr_t end = program->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 1;  // the first entry is the program itself; the kernel's vDSO is not ours
}

}  // namespace

void keep_memory_small() {
  mallopt(M_MMAP_THRESHOLD, kMapThreshold);
  mallopt(M_TRIM_THRESHOLD, kMapThreshold);
  mallopt(M_TOP_PAD, 0);
  mallopt(M_ARENA_MAX, 1);
}

void release_memory() {
  malloc_trim(0);
  dl_iterate_phdr(drop_read_only_segments, nullptr);
}

}  // namespace edgepod
