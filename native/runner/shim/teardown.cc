#include "runner/shim/teardown.h"

#include <unistd.h>

#include "lib/cgroup/cgroup.h"
#include "lib/cgroup/host.h"

namespace edgepod {

Result<Ok> remove_pod_cgroups(const std::string& path) {
  // A root takes processes in v1 and v2 alike; best effort, the removal below tells if it did not work.
  for (const CgroupHierarchy& hierarchy : CgroupHost::get().hierarchies())
    (void)join_cgroup_dir(hierarchy, ".");
  auto cgroup = Cgroup::open(path);
  if (!cgroup) {
    if (cgroup.error().err == ENOENT) return Ok{};
    return std::move(cgroup.error());
  }
  EDGEPOD_TRY(cgroup->kill_all());
  return cgroup->remove();
}

void remove_control_files(int pod_dir) {
  (void)unlinkat(pod_dir, "shim.sock", 0);
  (void)unlinkat(pod_dir, "shim.pid", 0);
}

}  // namespace edgepod
