#include "lib/procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/mount.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr ino_t kProcRootInode = 1;

Result<UniqueFd> open_under(int proc_fd, const char* path, const char* step) {
  int fd = sys_openat2(proc_fd, path, O_WRONLY | O_CLOEXEC, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  if (fd < 0 && errno == ENOSYS) fd = openat(proc_fd, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno_error(step, path);
  UniqueFd opened(fd);
  if (!on_procfs(fd)) return input_error(step, std::string(path) + ": is not on procfs", EPERM);
  return opened;
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const std::string_view item : names)
    if (name == item) return true;
  return false;
}

}  // namespace

Result<UniqueFd> open_private_proc() {
  auto proc = new_filesystem("proc", "proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (proc) return proc;
  UniqueFd host(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat st;
  struct statfs fs;
  if (!host || fstat(host.get(), &st) < 0 || fstatfs(host.get(), &fs) < 0)
    return errno_error("open-proc", "/proc");
  if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != kProcRootInode)
    return input_error("open-proc", "/proc is not the root of a procfs", EPERM);
  return host;
}

Result<Ok> write_proc(int proc_fd, const char* path, std::string_view value, const char* step) {
  auto file = open_under(proc_fd, path, step);
  if (!file) return std::move(file.error());
  const ssize_t written = write(file->get(), value.data(), value.size());
  if (written < 0) return errno_error(step, path);
  if (static_cast<size_t>(written) != value.size())
    return input_error(step, std::string(path) + ": was taken in part only", EIO);
  return Ok{};
}

int sysctl_namespace(std::string_view name) {
  std::string dotted(name);
  for (char& c : dotted)
    if (c == '/') c = '.';
  const std::string_view key = dotted;
  if (key.rfind("net.", 0) == 0) return CLONE_NEWNET;
  if (key.rfind("fs.mqueue.", 0) == 0) return CLONE_NEWIPC;
  if (one_of(key, {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
                   "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"}))
    return CLONE_NEWIPC;
  if (one_of(key, {"kernel.domainname", "kernel.hostname"})) return CLONE_NEWUTS;
  return 0;
}

Result<Ok> write_sysctls(const std::vector<std::pair<std::string, std::string>>& sysctls,
                         int own_namespaces) {
  constexpr const char* kStep = "sysctl";
  if (sysctls.empty()) return Ok{};
  auto proc = open_private_proc();
  if (!proc) return std::move(proc.error());
  for (const auto& [name, value] : sysctls) {
    const int needed = sysctl_namespace(name);
    if (!needed) return input_error(kStep, name + ": is not a namespaced sysctl", EPERM);
    if (!(own_namespaces & needed)) return input_error(kStep, name + ": its namespace is the host's", EPERM);
    if (name.find("..") != std::string::npos || value.find('\n') != std::string::npos)
      return input_error(kStep, name + ": malformed name or value");
    std::string path = "sys/" + name;
    // "net/ipv4/conf/eth0.1/…" may hold dots in a part: only a name without any slash is in dotted form.
    if (name.find('/') == std::string::npos)
      for (char& c : path)
        if (c == '.') c = '/';
    EDGEPOD_TRY(write_proc(proc->get(), path.c_str(), value, kStep));
  }
  return Ok{};
}

}  // namespace edgepod
