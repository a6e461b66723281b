// The two generations of the kernel's mount interface behind the functions of mount.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/mount.h"
#include "lib/path_in_root.h"
#include "lib/sys.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

namespace edgepod {
namespace {

constexpr const char* kStep = "mount";

// What the kernel has to say about a refused option ("e overlay: …"), for the error's detail.
std::string kernel_message(int fs_fd) {
  char text[256];
  const ssize_t n = read(fs_fd, text, sizeof text);
  if (n <= 2) return {};
  return ": " + std::string(text + 2, static_cast<size_t>(n - 2));
}

std::string join_data(const std::vector<std::pair<std::string, std::string>>& data) {
  std::string out;
  for (const auto& [key, value] : data) {
    if (!out.empty()) out += ',';
    out += value.empty() ? key : key + "=" + value;
  }
  return out;
}

Result<UniqueFd> reopen(const MountTarget& target) {
  // The old descriptor is of the directory underneath; only a new lookup arrives at what was mounted on it.
  return open_in_root(target.root_fd, target.path, O_PATH);
}

// Attributes that a remount would silently drop unless they are given again.
uint64_t current_flags(int mount_fd) {
  struct statvfs fs;
  if (fstatvfs(mount_fd, &fs) < 0) return 0;
  uint64_t flags = 0;
  if (fs.f_flag & ST_RDONLY) flags |= MS_RDONLY;
  if (fs.f_flag & ST_NOSUID) flags |= MS_NOSUID;
  if (fs.f_flag & ST_NODEV) flags |= MS_NODEV;
  if (fs.f_flag & ST_NOEXEC) flags |= MS_NOEXEC;
  if (fs.f_flag & ST_NOATIME) flags |= MS_NOATIME;
  if (fs.f_flag & ST_NODIRATIME) flags |= MS_NODIRATIME;
  if (fs.f_flag & ST_RELATIME) flags |= MS_RELATIME;
  return flags;
}

}  // namespace

Result<UniqueFd> new_filesystem(const char* type, const char* source,
                                const std::vector<std::pair<std::string, std::string>>& data,
                                uint64_t attributes) {
  UniqueFd fs(sys_fsopen(type));
  if (!fs) return errno_error(kStep, type);
  if (source && *source && sys_fsconfig(fs.get(), FSCONFIG_SET_STRING, "source", source, 0) < 0)
    return errno_error(kStep, std::string(type) + " source");
  for (const auto& [key, value] : data) {
    const unsigned command = value.empty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    if (sys_fsconfig(fs.get(), command, key.c_str(), value.empty() ? nullptr : value.c_str(), 0) < 0) {
      const Error error = errno_error(kStep, std::string(type) + " option " + key);
      return Error{error.step, error.err, error.detail + kernel_message(fs.get())};
    }
  }
  if (sys_fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    const Error error = errno_error(kStep, type);
    return Error{error.step, error.err, error.detail + kernel_message(fs.get())};
  }
  UniqueFd mount(sys_fsmount(fs.get(), static_cast<unsigned>(attributes)));
  if (!mount) return errno_error(kStep, type);
  return mount;
}

Result<UniqueFd> mount_filesystem(const MountTarget& target, const char* type, const char* source,
                                  const std::vector<std::pair<std::string, std::string>>& data,
                                  uint64_t attributes) {
  auto mount = new_filesystem(type, source, data, attributes);
  if (mount) {
    if (sys_move_mount(mount->get(), target.fd) < 0) return errno_error(kStep, target.path);
    return mount;
  }
  if (mount.error().err != ENOSYS) return mount;
  const std::string options = join_data(data);
  if (sys_mount(source && *source ? source : type, FdPath(target.fd).text, type, mount_flags(attributes),
                options.c_str()) < 0)
    return errno_error(kStep, target.path);
  return reopen(target);
}

Result<UniqueFd> clone_tree(int fd, bool recursive) {
  UniqueFd tree(sys_open_tree(fd, "",
                              static_cast<unsigned>(AT_EMPTY_PATH) | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                                  (recursive ? AT_RECURSIVE : 0)));
  if (!tree && errno != ENOSYS) return errno_error("open-mount-source");
  return tree;
}

Result<UniqueFd> mount_bind(const MountTarget& target, int source, bool detached, bool recursive) {
  if (detached) {
    if (sys_move_mount(source, target.fd) < 0) return errno_error(kStep, target.path);
    UniqueFd mount(fcntl(source, F_DUPFD_CLOEXEC, 3));
    if (!mount) return errno_error(kStep, target.path);
    return mount;
  }
  // Source and target by descriptor: nothing is looked up by name that somebody could have swapped
  // (CVE-2021-30465).
  if (sys_mount(FdPath(source).text, FdPath(target.fd).text, nullptr, MS_BIND | (recursive ? MS_REC : 0),
                nullptr) < 0)
    return errno_error(kStep, target.path);
  auto mount = reopen(target);
  if (!mount) return mount;
  struct stat want, got;
  if (fstat(source, &want) < 0 || fstat(mount->get(), &got) < 0) return errno_error(kStep, target.path);
  if (want.st_dev != got.st_dev || want.st_ino != got.st_ino)
    return input_error(kStep, target.path + ": was replaced while it was being mounted on", EAGAIN);
  return mount;
}

Result<Ok> set_mount_attributes(int mount_fd, uint64_t set, uint64_t clear, bool recursive) {
  if (!set && !clear) return Ok{};
  if (sys_mount_setattr(mount_fd, recursive ? AT_RECURSIVE : 0, set, clear) == 0) return Ok{};
  if (errno != ENOSYS) return errno_error("mount-attributes");
  if (recursive) return input_error("mount-attributes", "recursive attributes need Linux 5.12", ENOSYS);
  uint64_t flags = current_flags(mount_fd) & ~mount_flags(clear & ~MOUNT_ATTR__ATIME);
  if (clear & MOUNT_ATTR__ATIME) flags &= ~static_cast<uint64_t>(MS_NOATIME | MS_RELATIME | MS_STRICTATIME);
  flags |= mount_flags(set) | MS_REMOUNT | MS_BIND;
  if (sys_mount(nullptr, FdPath(mount_fd).text, nullptr, flags, nullptr) < 0)
    return errno_error("mount-attributes");
  return Ok{};
}

}  // namespace edgepod
