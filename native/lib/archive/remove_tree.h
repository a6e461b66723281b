// Removal of directory trees made by somebody else: never follows a link, never runs out of descriptors or of
// PATH_MAX however deep the tree is.
#pragma once

#include "lib/result.h"

namespace edgepod {

// Removes `name` in directory `dirfd`, with everything below it if it is a directory. Absent is fine.
// Error step "remove-tree".
Result<Ok> remove_tree(int dirfd, const char* name);

}  // namespace edgepod
