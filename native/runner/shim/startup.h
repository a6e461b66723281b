// From a command line to a serving pod: every step of making the sandbox, and taking it back if one fails.
#pragma once

#include <string>

#include "lib/fd.h"
#include "lib/result.h"
#include "runner/shim/pod_context.h"

namespace edgepod {

struct ShimOptions {
  std::string dir;    // absolute: <run-dir>/pods/<uid>
  std::string pause;  // path of the pause program
};

struct Started {
  UniqueFd listening, signals;
};

// In the daemon. Order: directory and its lock, stdio, signals, cgroups with limits, own place in them, infra
// process, socket, pid file. On error what was made is removed again.
Result<Started> start_pod(const ShimOptions& options, PodContext& context);

}  // namespace edgepod
