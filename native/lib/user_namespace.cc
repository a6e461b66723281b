#include "lib/user_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>

#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "user-namespace";

Result<Ok> write_map(pid_t pid, const char* name, uint32_t first) {
  char path[48], line[48];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  const int length = snprintf(line, sizeof line, "0 %u %u\n", first, kUserRange);
  UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), line, static_cast<size_t>(length)) != length)
    return errno_error(kStep, name);
  return Ok{};
}

}  // namespace

Result<Ok> map_users(pid_t pid, uint32_t first) {
  EDGEPOD_TRY(write_map(pid, "gid_map", first));
  return write_map(pid, "uid_map", first);
}

Result<UniqueFd> open_user_namespace(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
  UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error(kStep, path);
  return fd;
}

Result<Ok> map_mount(int mount_fd, const UserNamespace& users) {
  if (sys_mount_idmap(mount_fd, users.fd) == 0) return Ok{};
  if (errno == ENOSYS || errno == EINVAL)
    return Error{"id-map", errno,
                 "this kernel or file system cannot map the ids of a mount, which hostUsers: false needs "
                 "(ext4, xfs, btrfs: Linux 5.19; tmpfs: 6.3)"};
  return errno_error("id-map");
}

Result<Ok> enter_users(int namespace_fd, bool own_mounts) {
  if (setns(namespace_fd, CLONE_NEWUSER) < 0) return errno_error(kStep, "setns");
  if (own_mounts && unshare(CLONE_NEWNS) < 0) return errno_error(kStep, "mounts");
  return Ok{};
}

}  // namespace edgepod
