// Ends everything an exec started, and nothing else of its container.
#pragma once

#include <sys/types.h>

#include "lib/cgroup/cgroup.h"

namespace edgepod {

// SIGKILLs `root`, not reaped yet, and its descendants among the processes of the container. Complete for an
// exec that adopts its orphans (see ExecParams): nothing can leave the tree while its root lives.
void kill_exec_tree(const Cgroup& container, pid_t root);

}  // namespace edgepod
