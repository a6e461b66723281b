// Image layers as one directory: a container's root, mounted by the container itself so that the host never
// sees it; and an image as a volume, which has to be there before its subPaths can be resolved.
#pragma once

#include "lib/mount.h"
#include "lib/spec.h"

namespace edgepod {

// Mounts the layers named by the specification's annotations on `target`. Returns a descriptor of the new
// root. Error step "mount-overlay".
// With `users` of the pod's own the layers are seen through their map, and the upper directory becomes
// theirs.
Result<UniqueFd> mount_overlay(const Spec& spec, const MountTarget& target, const UserNamespace& users);

// Mounts `lower` (absolute directories, topmost first, two at least) read-only on the directory `target`.
Result<Ok> mount_layers(const std::vector<std::string>& lower, const std::string& target);

}  // namespace edgepod
