// What the parts of one pod share. One instance, alive as long as the shim.
#pragma once

#include <string>
#include <vector>

#include "lib/fd.h"
#include "runner/shim/poller.h"
#include "runner/shim/protocol.h"
#include "runner/shim/sandbox.h"

namespace edgepod {

struct PodContext {
  UniqueFd dir;        // <run-dir>/pods/<uid>
  UniqueFd exits_dir;  // its "exits"
  std::string seccomp_cache_dir;
  std::string cgroup_path;
  std::vector<std::string> notes;  // limits of the pod that this kernel could not apply
  Sandbox sandbox;
  Poller poller;
  // Everything that is read is read in here, and used up before the handler returns to the loop. Lies in
  // .bss: pages that were never read into cost nothing.
  char buffer[kMaxMessage + 1];
};

}  // namespace edgepod
