// Walking, making and removing the directories of one hierarchy. Internal to lib/cgroup.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/cgroup/host.h"

namespace edgepod {

// Makes `path`, with missing parents; on the unified hierarchy also enables `controllers` ("+cpu +memory") in
// every parent. A stale leaf without processes is replaced. Directories made are appended to `made`, topmost
// first, so that a failed creation can take them back.
Result<Ok> make_cgroup_dirs(const CgroupHierarchy& hierarchy, const std::string& path,
                            std::vector<std::string>& made);

// Calls visit(directory fd) for the cgroup and everything below it, parents first.
// False if the cgroup itself does not exist.
bool walk_cgroup(int root_fd, const std::string& path, const std::function<void(int)>& visit);

// Removes the subtree, deepest first. 0, or the errno of the first directory that stayed.
int remove_cgroup_dirs(int root_fd, const std::string& path);

// Appends the processes of the subtree. False if the cgroup does not exist.
bool subtree_pids(int root_fd, const std::string& path, std::vector<pid_t>& out);

// Appends the processes of this one directory. True if it has no child directories.
bool direct_pids(int dir_fd, std::vector<pid_t>& out);

// v1 cpuset: gives every level of `path` that has no cpus or memory nodes yet those of its parent; without
// them no process can be added (ENOSPC).
void fill_cpuset(const CgroupHierarchy& hierarchy, const std::string& path);

}  // namespace edgepod
