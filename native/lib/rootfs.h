// The container's root directory: how it comes to be, what in it is hidden, and how the process moves into
// it. All of this runs in the container's mount namespace before pivot_root, while the host's /proc can be
// trusted.
#pragma once

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spec.h"
#include "lib/user_namespace.h"

namespace edgepod {

// Cuts mount propagation to the host: private, or slave where a mount of the container follows the host's.
Result<Ok> isolate_propagation(const Spec& spec);

// Mounts the root (overlay of the annotations, or root.path bound on itself). Returns a descriptor of it.
// Error steps "open-root", "mount-overlay", "mount-root", "id-map".
Result<UniqueFd> mount_root(const Spec& spec, int bundle_fd, const UserNamespace& users);

// Makes readonlyPaths read-only, then hides maskedPaths. Paths that do not exist are skipped.
// Error steps "readonly-path", "mask-path".
Result<Ok> protect_paths(const Spec& spec, int root_fd);

// Replaces "/" by `root_fd` and drops the host's tree. Error step "pivot-root".
Result<Ok> pivot_into(int root_fd);

}  // namespace edgepod
