// What this machine's cgroups can do, found by looking rather than by kernel version.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "lib/cgroup/cgroup.h"
#include "lib/cgroup/devices.h"
#include "lib/cgroup/host.h"
#include "lib/cgroup/tree.h"

namespace edgepod {

namespace {

bool exists(const CgroupHierarchy& hierarchy, const std::string& file) {
  return faccessat(hierarchy.root.get(), file.c_str(), F_OK, 0) == 0;
}

// The root of the unified hierarchy lacks most files: a real, empty cgroup below it has them.
Result<Ok> probe_unified(const CgroupHierarchy& unified, CgroupFeatures& out) {
  std::string probe = "edgepod-probe-" + std::to_string(getpid());
  std::vector<std::string> made;
  EDGEPOD_TRY(make_cgroup_dirs(unified, probe, made));
  out.kill = exists(unified, probe + "/cgroup.kill");
  out.freeze = out.freeze || exists(unified, probe + "/cgroup.freeze");
  out.cgroup_psi = exists(unified, probe + "/memory.pressure");
  if (unified.has("memory")) {
    out.swap = exists(unified, probe + "/memory.swap.max");
    out.oom_group = exists(unified, probe + "/memory.oom.group");
  }
  unlinkat(unified.root.get(), probe.c_str(), AT_REMOVEDIR);
  return Ok{};
}

}  // namespace

Result<CgroupFeatures> cgroup_features() {
  const CgroupHost& host = CgroupHost::get();
  if (host.hierarchies().empty())
    return input_error("cgroup-features", "no cgroup file system is mounted", ENODEV);
  CgroupFeatures out;
  out.mode = host.mode();
  for (const CgroupHierarchy& hierarchy : host.hierarchies()) {
    for (const std::string& name : hierarchy.controllers) {
      if (!name.starts_with("name=")) out.controllers.push_back(name);
    }
  }
  std::sort(out.controllers.begin(), out.controllers.end());
  const CgroupHierarchy* memory = host.with("memory");
  out.memory = memory != nullptr;
  out.cpu = host.with("cpu") != nullptr;
  out.pids = host.with("pids") != nullptr;
  out.io = host.with("io") != nullptr || host.with("blkio") != nullptr;
  out.freeze = host.with("freezer") != nullptr;
  out.devices = host.with("devices") != nullptr || (host.unified() && device_programs_available());
  out.psi = access("/proc/pressure/memory", R_OK) == 0;
  if (memory && !memory->unified) out.swap = exists(*memory, "memory.memsw.limit_in_bytes");
  if (const CgroupHierarchy* unified = host.unified()) {
    out.clone_into = true;
    EDGEPOD_TRY(probe_unified(*unified, out));
  }
  return out;
}

}  // namespace edgepod
