#include "lib/seal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>

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

// Executes this program from a private read-only copy of the mount it is on. The directory is what is copied,
// so that /proc/<pid>/exe and `ps` go on showing the program's name. Returns if any of it does not work.
void execute_readonly(char** argv) {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 1) return;
  path[n] = '\0';
  char* slash = strrchr(path, '/');
  const std::string name = slash + 1;
  *slash = '\0';
  const UniqueFd directory(sys_open_tree(AT_FDCWD, *path ? path : "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!directory || sys_mount_setattr(directory.get(), 0, MOUNT_ATTR_RDONLY, 0) < 0) return;
  struct stat running, found;
  // The name may belong to another file by now: an upgrade, or a link.
  if (stat("/proc/self/exe", &running) < 0 ||
      fstatat(directory.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0)
    return;
  if (running.st_dev != found.st_dev || running.st_ino != found.st_ino) return;
  syscall(SYS_execveat, directory.get(), name.c_str(), argv, environ, 0);
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
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(kStep, "copy");
    if (n == 0) return input_error(kStep, "copy: the file became shorter", EIO);
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
  execute_readonly(argv);
  auto copy = sealed_copy();
  if (!copy) return std::move(copy.error());
  syscall(SYS_execveat, copy->get(), "", argv, environ, AT_EMPTY_PATH);
  return errno_error(kStep, "execveat");
}

}  // namespace edgepod
