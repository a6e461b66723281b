// The cgroup hierarchies mounted on this machine, each with its root directory held open, so that creating a
// cgroup never parses mount tables again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/cgroup/cgroup.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

// One mounted hierarchy.
struct CgroupHierarchy {
  std::string mount_point;
  std::vector<std::string> controllers;  // v1: "memory", "name=systemd"; unified: those its root offers
  bool unified = false;
  UniqueFd root;  // CLOEXEC

  bool has(std::string_view controller) const;
};

class CgroupHost {
 public:
  // Opens the cgroup mounts listed in the text of a mountinfo file. With `verify`, mounts that turn out to be
  // another file system (mounted over) are left out; tests with plain directories pass false.
  static CgroupHost from_mountinfo(std::string_view mountinfo, bool verify = true);

  // This machine's; read from /proc/self/mountinfo at the first call and kept for the life of the process.
  static const CgroupHost& get();
  // Replaces what get() returns; nullptr restores the machine's own. For tests; `host` must stay alive.
  static void use_for_tests(const CgroupHost* host);

  CgroupMode mode() const { return mode_; }
  const std::vector<CgroupHierarchy>& hierarchies() const { return hierarchies_; }
  // The unified (cgroup v2) hierarchy, or nullptr.
  const CgroupHierarchy* unified() const;
  // Where `controller` lives, v1 or unified; nullptr if the machine has none.
  const CgroupHierarchy* with(std::string_view controller) const;
  // The hierarchy whose process list stands for the whole cgroup.
  const CgroupHierarchy* primary() const;

 private:
  std::vector<CgroupHierarchy> hierarchies_;
  CgroupMode mode_ = CgroupMode::V2;
};

}  // namespace edgepod
