// Mounts of a container: sources opened while host paths still mean something, targets resolved inside the
// root, and everything attached descriptor to descriptor.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/fd.h"
#include "lib/mount_options.h"
#include "lib/result.h"
#include "lib/spec.h"
#include "lib/user_namespace.h"

namespace edgepod {

struct PlannedMount {
  const SpecMount* spec;
  MountOptions options;
  std::string destination;  // cleaned
  UniqueFd source;          // bind: a detached copy of the tree, or (without open_tree) the source itself
  bool detached = false;    // which of the two `source` is
  bool is_dir = true;
};

// Parses options and opens every bind source, in the order of the list. Relative sources start at
// `bundle_fd`. Error steps "mount-options", "open-mount-source", "id-map".
Result<std::vector<PlannedMount>> plan_mounts(const std::vector<SpecMount>& mounts, int bundle_fd,
                                              const UserNamespace& users);

// Attaches one mount below `root_fd`, making its target where missing. `own_cgroup_namespace`: see
// cgroup_mount.h. Error step "mount".
Result<Ok> attach_mount(int root_fd, PlannedMount& mount, bool own_cgroup_namespace);

// A new instance of a file system, not attached anywhere. ENOSYS where the kernel lacks fsopen.
Result<UniqueFd> new_filesystem(const char* type, const char* source,
                                const std::vector<std::pair<std::string, std::string>>& data,
                                uint64_t attributes);

// A place to mount on. After a mount(2) fallback the mount is found again by looking `path` up once more.
struct MountTarget {
  int root_fd;       // container root the path is resolved in
  std::string path;  // as given to open_in_root
  int fd;            // O_PATH of the place
};

// new_filesystem attached to `target`, or mount(2). Returns a descriptor of the mount's root.
Result<UniqueFd> mount_filesystem(const MountTarget& target, const char* type, const char* source,
                                  const std::vector<std::pair<std::string, std::string>>& data,
                                  uint64_t attributes);

// Attaches a bind source. Returns a descriptor of the mount's root.
Result<UniqueFd> mount_bind(const MountTarget& target, int source, bool detached, bool recursive);

// A bind source for mount_bind: a detached clone of what `fd` is, or (without open_tree) nothing.
Result<UniqueFd> clone_tree(int fd, bool recursive);

// Changes attributes of an attached mount. Without mount_setattr (< 5.12) by remounting; then recursion is
// refused.
Result<Ok> set_mount_attributes(int mount_fd, uint64_t set, uint64_t clear, bool recursive);

}  // namespace edgepod
