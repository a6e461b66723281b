// The last part of every start, common to a container's init and to exec: what the process is and may do, and
// the program it becomes.
#pragma once

#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/seccomp.h"
#include "lib/spec.h"
#include "lib/user_namespace.h"
#include "lib/users.h"

namespace edgepod {

// Where the child's remaining descriptors are once leave_host_descriptors() has run.
inline constexpr int kErrorFd = 3;
inline constexpr int kGateFd = 4;
inline constexpr int kUsersFd = 5;

struct ProcessPlan {
  const SpecProcess* process;
  Identity identity;
  std::vector<std::string> args, env;
  std::string cwd;
  const SeccompProgram* seccomp = nullptr;
  UserNamespace users;      // entered by way of kUsersFd
  bool own_mounts = false;  // gets a mount namespace that those users own
  bool pdeathsig = false;
  bool has_gate = false;
  bool new_session = true;
};

// Puts the three on 0, 1, 2 and marks everything else close-on-exec.
Result<Ok> take_stdio(int in, int out, int err);

// The score the kernel's OOM killer uses. A host where root may not lower it keeps what there is.
Result<Ok> set_oom_score_adj(const SpecProcess& process);

// Dispositions and mask as a program expects them at start.
void reset_signals();

// SIGKILL when the parent dies; ends this process if it already has. `error_fd`: see error_pipe.h.
Result<Ok> die_with_parent(int error_fd);

// Moves the error pipe, the gate and the user namespace (or -1) to their fixed numbers and closes everything
// else above the standard streams.
Result<Ok> leave_host_descriptors(int error_fd, int gate_fd, int users_fd);

// The file execve should run: `name` itself if it has a slash, else the first executable in PATH of `env`.
// Relative names start at the working directory. Error step "exec": ENOENT (127) or EACCES (126).
Result<std::string> find_executable(const std::string& name, const std::vector<std::string>& env);

// Container's environment with HOME from the identity where unset and `extra` overriding.
std::vector<std::string> build_environment(const std::vector<std::string>& base,
                                           const std::vector<std::string>& extra, const std::string& home);

// A new session keyring, so that keys do not pass between containers.
void leave_session_keyring();

// From here to the container's program: working directory, session, limits, user, capabilities, filter,
// execve. Returns only on failure. Must run in the container's namespaces and root, after
// leave_host_descriptors().
Error become(const ProcessPlan& plan);

}  // namespace edgepod
