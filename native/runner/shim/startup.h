// From a command line to a serving pod: every step of making the sandbox, and taking it back if one fails.
#pragma once

#include <string>

#include "lib/cgroup/cgroup.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "runner/shim/pod_context.h"
#include "runner/shim/sandbox_config.h"

namespace edgepod {

struct ShimOptions {
  std::string dir;    // absolute: <run-dir>/pods/<uid>
  std::string pause;  // path of the pause program
};

struct Started {
  UniqueFd listening, signals;
};

struct Prepared {
  SandboxConfig config;
  Cgroup home;  // the shim's place and the infra process's, below the pod's
};

// In the foreground process, so that the daemon can be born in its cgroup. Order: directory and its lock,
// configuration, log, cgroups with limits. On error what was made is removed again.
Result<Prepared> prepare_pod(const ShimOptions& options, PodContext& context);

// In the daemon. Order: stdio, what is left of the way into the cgroups, signals, infra process, socket, pid
// file. On error what was made is removed again, what prepare_pod() made included.
Result<Started> start_pod(const ShimOptions& options, const Prepared& prepared, bool born_at_home,
                          PodContext& context);

// Removes what a start that failed has made.
void take_back(PodContext& context);

}  // namespace edgepod
