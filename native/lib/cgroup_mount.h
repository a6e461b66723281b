// The container's view of its cgroup at /sys/fs/cgroup.
#pragma once

#include "lib/mount.h"

namespace edgepod {

// Mounts cgroupfs at `target`: the unified hierarchy alone, or one directory per hierarchy of the v1/hybrid
// layout. With `own_namespace` the caller is in the container's cgroup namespace, where "/" is its own cgroup
// and nothing above is visible; without, the container's own directories are bound instead. Error step
// "mount-cgroup".
Result<Ok> mount_cgroup(const MountTarget& target, const MountOptions& options, bool own_namespace);

}  // namespace edgepod
