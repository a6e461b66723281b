// Thin wrappers of system calls that the C library lacks or that need care. They return what the kernel
// returns (-1 and errno); fallbacks for old kernels are the business of the callers that know what they need.
// Tests make a call "missing" with a seccomp filter that answers ENOSYS, so no hook is compiled in.
#pragma once

#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

// <sys/mount.h> and <linux/mount.h> exclude each other before glibc 2.36: include this header, never the
// former.
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace edgepod {

struct CloneRequest {
  uint64_t flags = 0;  // CLONE_NEW*
  int cgroup_fd = -1;  // cgroup v2 directory to be born in, or -1
};
struct CloneReply {
  pid_t pid = -1;          // 0 in the child
  UniqueFd pidfd;          // parent: empty where the kernel has none
  bool in_cgroup = false;  // born in cgroup_fd
};
// fork with namespaces: clone3 with CLONE_PIDFD and CLONE_INTO_CGROUP, else plain clone and pidfd_open.
// Error step "clone".
Result<CloneReply> clone_process(const CloneRequest& request);

int sys_openat2(int dirfd, const char* path, uint64_t flags, uint64_t mode, uint64_t resolve);
int sys_open_tree(int dirfd, const char* path, unsigned flags);
int sys_move_mount(int from_fd, int to_fd);  // both named by fd alone
int sys_fsopen(const char* type);
int sys_fsconfig(int fd, unsigned command, const char* key, const void* value, int aux);
int sys_fsmount(int fd, unsigned attributes);
int sys_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation = 0);
int sys_mount_idmap(int fd, int user_namespace);
int sys_mount(const char* source, const char* target, const char* type, uint64_t flags, const void* data);
int sys_umount(const char* target, int flags);
int sys_pivot_root(const char* new_root, const char* put_old);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_send_signal(int pidfd, int signal);

// Marks every descriptor from `first` on close-on-exec, or closes it. Without close_range (< 5.9/5.11) by a
// walk of /proc/self/fd.
Result<Ok> cloexec_from(unsigned first);
Result<Ok> close_from(unsigned first);

// write(2)/read(2) until done. Error steps as given.
Result<Ok> write_all(int fd, const void* data, size_t size, const char* step);
// The whole file, refused with EFBIG beyond `max` bytes.
Result<std::string> read_all(int fd, size_t max, const char* step);

// Whether `fd` is of a procfs.
bool on_procfs(int fd);

// "/proc/self/fd/N": a path for calls that take no descriptor.
struct FdPath {
  char text[32];
  explicit FdPath(int fd);
};

}  // namespace edgepod
