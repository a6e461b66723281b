#include "lib/arm32.h"

#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "lib/fd.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

namespace edgepod {
namespace {

constexpr uint32_t kBase = 0x10000;  // a multiple of every page size
// mov r0, #status; mov r7, #1 (exit); svc #0
constexpr uint32_t kCode[] = {0xe3a00000 | kArm32Status, 0xe3a07001, 0xef000000};

// Linux 6.3 wants to be told that a memory file is meant to be executed, older kernels do not know the flag.
UniqueFd program_file() {
  UniqueFd file(memfd_create("arm32", MFD_CLOEXEC | MFD_EXEC));
  if (!file && errno == EINVAL) file.reset(memfd_create("arm32", MFD_CLOEXEC));
  const auto program = arm32_program();
  if (file && write(file.get(), program.data(), program.size()) != static_cast<ssize_t>(program.size()))
    file.reset();
  return file;
}

// The child shares our memory until it has executed the program: it makes system calls and nothing else.
[[gnu::noinline]] pid_t start(int file) {
  const pid_t pid = vfork();
  if (pid != 0) return pid;
  char name[] = "arm32";
  char* arguments[] = {name, nullptr};
  char* environment[] = {nullptr};
  syscall(SYS_execveat, file, "", arguments, environment, 0x1000 /* AT_EMPTY_PATH */);
  _exit(127);
}

}  // namespace

std::array<unsigned char, 96> arm32_program() {
  Elf32_Ehdr head = {};
  memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS32;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_EXEC;
  head.e_machine = EM_ARM;
  head.e_version = EV_CURRENT;
  head.e_entry = kBase + sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr);
  head.e_phoff = sizeof(Elf32_Ehdr);
  head.e_flags = EF_ARM_EABI_VER5;
  head.e_ehsize = sizeof(Elf32_Ehdr);
  head.e_phentsize = sizeof(Elf32_Phdr);
  head.e_phnum = 1;
  std::array<unsigned char, 96> bytes = {};
  static_assert(sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) + sizeof kCode == bytes.size());
  Elf32_Phdr segment = {};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = segment.p_paddr = kBase;
  segment.p_filesz = segment.p_memsz = bytes.size();
  segment.p_align = kBase;
  memcpy(bytes.data(), &head, sizeof head);
  memcpy(bytes.data() + sizeof head, &segment, sizeof segment);
  memcpy(bytes.data() + sizeof head + sizeof segment, kCode, sizeof kCode);
  return bytes;
}

bool runs_arm32_programs() {
  const UniqueFd file = program_file();
  if (!file) return false;
  // No handler of this process may run in the child.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = start(file.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return false;
  int status = 0;
  while (waitpid(pid, &status, __WALL) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == kArm32Status;
}

}  // namespace edgepod
