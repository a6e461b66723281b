#include "lib/unused_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace edgepod {
namespace {

// Only segments that can never have been written to: dropping a page of another loses what was written.
void drop_read_only_segments(const dl_phdr_info& object) {
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object.dlpi_phnum; i++) {
    const auto& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    uintptr_t begin = (object.dlpi_addr + segment.p_vaddr) & ~(page - 1);
    uintptr_t end = object.dlpi_addr + segment.p_vaddr + segment.p_memsz;
    (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

int visit_program(dl_phdr_info* object, size_t, void*) {
  drop_read_only_segments(*object);
  return 1;  // the first is the program itself
}

// The program has no name, the kernel's vDSO none with a slash: it is not ours to drop.
int visit_object(dl_phdr_info* object, size_t, void*) {
  const char* name = object->dlpi_name;
  if (name == nullptr || name[0] == '\0' || name[0] == '/') drop_read_only_segments(*object);
  return 0;
}

}  // namespace

void release_unused_memory(Mapped mapped) {
  malloc_trim(0);
  dl_iterate_phdr(mapped == Mapped::Program ? visit_program : visit_object, nullptr);
}

}  // namespace edgepod
