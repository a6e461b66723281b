// Leaving nothing behind.
#pragma once

#include <string>

#include "lib/result.h"

namespace edgepod {

// Moves the calling process out of the pod's cgroups (to the roots of the hierarchies) and removes them.
// Processes left in them are killed.
Result<Ok> remove_pod_cgroups(const std::string& path);

// Removes what the shim put into the pod's directory to be found by: "shim.sock" and "shim.pid".
void remove_control_files(int pod_dir);

}  // namespace edgepod
