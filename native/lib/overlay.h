// The container's root as an overlay of image layers, mounted by the container itself so that the host never
// sees it.
#pragma once

#include "lib/mount.h"
#include "lib/spec.h"

namespace edgepod {

// Mounts the layers named by the specification's annotations on `target`. Returns a descriptor of the new
// root. Error step "mount-overlay".
// With `users` of the pod's own the layers are seen through their map, and the upper directory becomes
// theirs.
Result<UniqueFd> mount_overlay(const Spec& spec, const MountTarget& target, const UserNamespace& users);

}  // namespace edgepod
