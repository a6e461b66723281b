#include "lib/seal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "lib/fd.h"
#include "lib/sys.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

namespace edgepod {
namespace {

constexpr const char* kStep = "seal-executable";
constexpr const char* kMarker = "EDGEPOD_SEALED";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool is_sealed() {
  UniqueFd self(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  struct statvfs fs;
  if (!self || fstatvfs(self.get(), &fs) < 0) return false;
  const int seals = fcntl(self.get(), F_GET_SEALS);
  return (fs.f_flag & ST_RDONLY) || (seals >= 0 && (seals & kSeals) == kSeals);
}

UniqueFd readonly_mount() {
  UniqueFd tree(sys_open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!tree || sys_mount_setattr(tree.get(), 0, MOUNT_ATTR_RDONLY, 0) < 0) return UniqueFd();
  return tree;
}

Result<UniqueFd> sealed_copy() {
  UniqueFd self(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  struct stat st;
  if (!self || fstat(self.get(), &st) < 0) return errno_error(kStep, "/proc/self/exe");
  UniqueFd copy(memfd_create("edgepod-runner", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!copy) copy.reset(memfd_create("edgepod-runner", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return errno_error(kStep, "memfd_create");
  for (off_t left = st.st_size; left > 0;) {
    const ssize_t n = sendfile(copy.get(), self.get(), nullptr, static_cast<size_t>(left));
    if (n <= 0) return errno_error(kStep, "copy");
    left -= n;
  }
  if (fcntl(copy.get(), F_ADD_SEALS, kSeals) < 0) return errno_error(kStep, "seal");
  return copy;
}

}  // namespace

Result<Ok> seal_executable(char** argv) {
  if (getenv(kMarker)) {
    unsetenv(kMarker);
    // Executed by descriptor, the process would be called after its number.
    prctl(PR_SET_NAME, "edgepod-runner");
    if (!is_sealed()) return input_error(kStep, "the second run is not sealed", EPERM);
    return Ok{};
  }
  if (setenv(kMarker, "1", 1) < 0) return errno_error(kStep, "setenv");
  const UniqueFd mount = readonly_mount();
  if (mount) syscall(SYS_execveat, mount.get(), "", argv, environ, AT_EMPTY_PATH);
  auto copy = sealed_copy();
  if (!copy) return std::move(copy.error());
  syscall(SYS_execveat, copy->get(), "", argv, environ, AT_EMPTY_PATH);
  return errno_error(kStep, "execveat");
}

}  // namespace edgepod
