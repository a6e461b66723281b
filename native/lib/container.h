// Starting processes in containers: the one place where namespaces, cgroup, mounts, identity and filters come
// together. Call from a single-threaded process that runs from a sealed executable (see seal.h).
//
// Which namespaces the container gets:
// - without a sandbox (infra_pidfd < 0) the specification alone decides: listed without path = new, listed
// with
//   path = joined, not listed = the caller's;
// - with a sandbox, `network`, `ipc` and `uts` always are the sandbox's (whatever the specification says);
//   `pid` listed with any path = the sandbox's, listed without path = new, not listed = the caller's;
//   `mount` and `cgroup` are always the container's own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spec.h"
#include "lib/user_namespace.h"

namespace edgepod {

class Cgroup;

struct StdioFds {
  int in, out, err;  // borrowed
};

struct ContainerParams {
  const Spec* spec = nullptr;
  int bundle_fd = -1;  // directory that relative root paths start from
  StdioFds stdio{0, 1, 2};
  const Cgroup* cgroup = nullptr;  // already created, limits written; null: stay in the caller's
  int infra_pidfd = -1;            // sandbox to join; -1 = none
  pid_t infra_pid = -1;
  // Process whose PID namespace it joins, whatever the specification says of `pid`; -1 = none.
  int pid_target_pidfd = -1;
  pid_t pid_target_pid = -1;
  UserNamespace users;     // of the sandbox
  bool pdeathsig = false;  // SIGKILL when the calling process dies
  int start_gate = -1;     // OCI create: borrowed; the child waits for one byte on it before execve
  const char* seccomp_cache_dir = nullptr;
};

struct ContainerProcess {
  pid_t pid = -1;  // a child of the caller, who must reap it
  UniqueFd pidfd;  // may be empty on kernels without pidfds (< 5.3)
};

struct StartingContainer {
  ContainerProcess process;
  UniqueFd verdict;  // readable when it is known how the start went: then ask started_container()
};

// Returns when the child exists, which goes on by itself. On error nothing is left.
Result<StartingContainer> begin_container(const ContainerParams& params);

// Waits until execve succeeded, or with `start_gate` until the child is ready to exec. On error nothing is
// left: the child has been reaped; the error names the step that failed inside the child and, for step
// "exec", errno is ENOENT (shell convention 127) or EACCES/ENOEXEC (126).
Result<ContainerProcess> started_container(StartingContainer starting);

// Both in one.
Result<ContainerProcess> start_container(const ContainerParams& params);

struct ExecParams {
  const Spec* spec = nullptr;  // user, capabilities, rlimits, env, cwd, seccomp of the container
  std::vector<std::string> args;
  std::vector<std::string> env;  // KEY=VALUE, added to (and overriding) the container's
  std::string cwd;               // empty: the container's
  int target_pidfd = -1;         // the container's init process
  pid_t target_pid = -1;
  UserNamespace users;  // the container's
  const Cgroup* cgroup = nullptr;
  StdioFds stdio{0, 1, 2};
  bool pdeathsig = false;
  bool adopts_orphans =
      false;  // orphans of what it starts become its children: all of it can be found by descent
  const char* seccomp_cache_dir = nullptr;
};

// Runs one more process in a container: all namespaces of its init, same cgroup, user, capabilities and
// filter. From its first instruction on the new process is within the container's reach, which may stop it
// (SIGSTOP) before it has become the program: whoever must not hang asks started_container() only once the
// verdict is readable.
Result<StartingContainer> begin_exec(const ExecParams& params);

// Both in one.
Result<ContainerProcess> exec_in_container(const ExecParams& params);

}  // namespace edgepod
