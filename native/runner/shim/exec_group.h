// Finds and kills everything an exec started, and nothing else of its container.
#pragma once

#include <sys/types.h>

#include <string>

#include "lib/cgroup/cgroup.h"

namespace edgepod {

// Where a unified hierarchy is mounted, a child cgroup without controllers holds the processes of one exec:
// they cannot leave it, and stay accounted to the container. Else they are found by descent and session.
class ExecGroup {
 public:
  ExecGroup() = default;
  ~ExecGroup();
  ExecGroup(const ExecGroup&) = delete;
  ExecGroup& operator=(const ExecGroup&) = delete;

  // Moves the process, which has only just been exec'ed, into a group of its own.
  void adopt(const Cgroup& container, int64_t exec_id, pid_t pid);

  // SIGKILLs the process and all that came from it.
  void kill(const Cgroup& container) const;

 private:
  int parent_ = -1;  // borrowed from the container's cgroup
  std::string name_;
  pid_t pid_ = -1;
};

}  // namespace edgepod
