// The pod's sandbox: the infra process (`pause`) and the namespaces it holds.
#pragma once

#include <sys/types.h>

#include <ctime>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/user_namespace.h"
#include "runner/shim/sandbox_config.h"

namespace edgepod {

struct Sandbox {
  pid_t pid = -1;  // of the infra process, a child of the shim; -1 once it is gone
  UniqueFd pidfd;  // empty on kernels without pidfds
  timespec started_at{};
  UniqueFd user_namespace;  // empty: the host's users
  uint32_t first_user = 0;

  UserNamespace users() const { return {user_namespace.get(), first_user}; }
};

// Starts the infra process in the caller's cgroup, in new namespaces as `config` asks, with host name,
// loopback and sysctls set up from inside them. `pause` is the opened program. Returns after its execve
// succeeded; on error it has been reaped and nothing is left.
// `pod_dir` names a directory to hang the infra process's empty root on, in its own mount namespace.
Result<Sandbox> start_sandbox(const SandboxConfig& config, int pause, const char* pod_dir);

}  // namespace edgepod
