// fsGroup: a volume that a group may use, whoever the containers' users are.
#pragma once

#include <sys/types.h>

#include <string>

#include "lib/result.h"

namespace edgepod {

// Everything at and below `path` gets the group, g+rw, and directories g+x and setgid, so that what is made
// later has the group too. Owners stay; symbolic links get the group only. With `only_on_mismatch` nothing is
// done when the top directory is as wanted already. Error step "volume-group".
Result<Ok> set_tree_group(const std::string& path, gid_t group, bool only_on_mismatch);

}  // namespace edgepod
