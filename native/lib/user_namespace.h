// A pod's own users: a user namespace that the infra process holds, mapped to a range of the host's ids.
//
// A container's root is built by the host's root in a mount namespace of its own, and only the finished
// process enters the user namespace: procfs, sysfs and cgroup file systems then need no fully visible copy on
// the host, and device nodes are real ones. What the container may change of its mounts afterwards is decided
// by a second mount namespace, which the pod's users own and in which everything inherited is locked.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct UserNamespace {
  int fd = -1;         // borrowed; -1: the host's users
  uint32_t first = 0;  // the host's id of the pod's root

  bool own() const { return fd >= 0; }
};

inline constexpr uint32_t kUserRange = 65536;  // ids a pod has

// Maps 0 to kUserRange-1 of the namespace of `pid`, a child that waits for it. Error step "user-namespace".
Result<Ok> map_users(pid_t pid, uint32_t first);

Result<UniqueFd> open_user_namespace(pid_t pid);

// Shows what belongs to the host's root as the pod's root's, and so on. `mount_fd`: a detached mount that was
// never attached. EINVAL: the file system cannot. Error step "id-map".
Result<Ok> map_mount(int mount_fd, const UserNamespace& users);

// The process becomes one of the namespace, with every capability in there and an id that means nothing in
// it. `own_mounts`: also in a mount namespace which that namespace owns. Error step "user-namespace".
Result<Ok> enter_users(int namespace_fd, bool own_mounts);

}  // namespace edgepod
