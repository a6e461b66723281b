#include "lib/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

// Numbers from 424 on are the same on every architecture; older C library headers lack the newest.
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

namespace edgepod {
namespace {

uint64_t pointer(const void* p) { return reinterpret_cast<uintptr_t>(p); }

int clone3(const CloneRequest& request, bool into_cgroup, int* pidfd) {
  struct clone_args args = {};
  args.flags = request.flags | CLONE_PIDFD | (into_cgroup ? CLONE_INTO_CGROUP : 0);
  args.pidfd = pointer(pidfd);
  args.exit_signal = SIGCHLD;
  if (into_cgroup) args.cgroup = static_cast<uint64_t>(request.cgroup_fd);
  return static_cast<int>(syscall(SYS_clone3, &args, sizeof args));
}

// The raw call: fork(2) semantics, with namespace flags. Argument order differs between architectures only
// for the arguments that are zero here.
int clone_plain(uint64_t flags) {
  return static_cast<int>(syscall(SYS_clone, static_cast<unsigned long>(flags | SIGCHLD), 0, 0, 0, 0));
}

}  // namespace

Result<CloneReply> clone_process(const CloneRequest& request) {
  CloneReply reply;
  int pidfd = -1;
  bool into_cgroup = request.cgroup_fd >= 0;
  int pid = clone3(request, into_cgroup, &pidfd);
  // CLONE_INTO_CGROUP is refused as E2BIG/EINVAL before 5.7: be born outside and let the caller join.
  if (pid < 0 && into_cgroup && (errno == E2BIG || errno == EINVAL || errno == EOPNOTSUPP)) {
    into_cgroup = false;
    pid = clone3(request, false, &pidfd);
  }
  if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
    // Before 5.3, under some emulators (ENOSYS), or filtered by a container manager around us (EPERM).
    into_cgroup = false;
    pidfd = -1;
    pid = clone_plain(request.flags);
    if (pid > 0) pidfd = sys_pidfd_open(pid);
  }
  if (pid < 0) return errno_error("clone", errno == ENOMEM ? "the joined PID namespace has ended" : "");
  reply.pid = pid;
  if (pid > 0) reply.pidfd.reset(pidfd);
  reply.in_cgroup = into_cgroup;
  return reply;
}

int sys_openat2(int dirfd, const char* path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {};
  how.flags = flags;
  how.mode = mode;
  how.resolve = resolve;
  return static_cast<int>(syscall(SYS_openat2, dirfd, path, &how, sizeof how));
}

int sys_open_tree(int dirfd, const char* path, unsigned flags) {
  return static_cast<int>(syscall(SYS_open_tree, dirfd, path, flags));
}

int sys_move_mount(int from_fd, int to_fd) {
  return static_cast<int>(
      syscall(SYS_move_mount, from_fd, "", to_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int sys_fsopen(const char* type) { return static_cast<int>(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)); }

int sys_fsconfig(int fd, unsigned command, const char* key, const void* value, int aux) {
  return static_cast<int>(syscall(SYS_fsconfig, fd, command, key, value, aux));
}

int sys_fsmount(int fd, unsigned attributes) {
  return static_cast<int>(syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes));
}

int sys_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation) {
  struct mount_attr attr = {};
  attr.attr_set = set;
  attr.attr_clr = clear;
  attr.propagation = propagation;
  return static_cast<int>(syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, &attr, sizeof attr));
}

int sys_mount_idmap(int fd, int user_namespace) {
  struct mount_attr attr = {};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<uint64_t>(user_namespace);
  return static_cast<int>(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr));
}

int sys_mount(const char* source, const char* target, const char* type, uint64_t flags, const void* data) {
  return static_cast<int>(syscall(SYS_mount, source, target, type, static_cast<unsigned long>(flags), data));
}

int sys_umount(const char* target, int flags) {
  return static_cast<int>(syscall(SYS_umount2, target, flags));
}

int sys_pivot_root(const char* new_root, const char* put_old) {
  return static_cast<int>(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_pidfd_open(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

int sys_pidfd_send_signal(int pidfd, int signal) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

namespace {

// close_range for kernels without it.
Result<Ok> each_fd_from(unsigned first, bool close_them) {
  DIR* dir = opendir("/proc/self/fd");
  if (!dir) return errno_error("close-range", "/proc/self/fd");
  while (const struct dirent* entry = readdir(dir)) {
    char* end = nullptr;
    const unsigned long fd = strtoul(entry->d_name, &end, 10);
    if (end == entry->d_name || *end || fd < first || static_cast<int>(fd) == dirfd(dir)) continue;
    if (close_them) {
      close(static_cast<int>(fd));
    } else {
      fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
    }
  }
  closedir(dir);
  return Ok{};
}

}  // namespace

Result<Ok> cloexec_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return Ok{};
  return each_fd_from(first, false);
}

Result<Ok> close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return Ok{};
  return each_fd_from(first, true);
}

Result<Ok> write_all(int fd, const void* data, size_t size, const char* step) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(step);
    at += n;
    size -= static_cast<size_t>(n);
  }
  return Ok{};
}

Result<std::string> read_all(int fd, size_t max, const char* step) {
  std::string out;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(step);
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > max)
      return input_error(step, "has more than " + std::to_string(max) + " bytes", EFBIG);
    out.append(buffer, static_cast<size_t>(n));
  }
}

bool on_procfs(int fd) {
  struct statfs fs;
  return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

FdPath::FdPath(int fd) { snprintf(text, sizeof text, "/proc/self/fd/%d", fd); }

}  // namespace edgepod
