// Which namespaces a container creates, joins or leaves alone (rules: container.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spec.h"

namespace edgepod {

struct NamespacePlan {
  uint64_t clone_flags = 0;                      // created at birth
  bool new_cgroup = false;                       // created by the child once it is in its cgroup
  int sandbox_mask = 0;                          // CLONE_NEW* joined from the sandbox's infra process
  bool sandbox_pid = false;                      // children are born in the sandbox's PID namespace
  UniqueFd pid_namespace;                        // or in this one
  std::vector<std::pair<int, UniqueFd>> joined;  // by path: flag, namespace

  bool new_network() const;
  bool new_uts() const;
};

// Error step "plan-namespaces".
Result<NamespacePlan> plan_namespaces(const Spec& spec, bool sandbox);

// Enters namespaces of a living process: by its pidfd (5.8), else through /proc/<pid>/ns, checking afterwards
// that the process still lives. Error step "join-namespaces".
Result<Ok> join_process(int pidfd, pid_t pid, int mask);

// While one of these exists, children of this process are born in another PID namespace. PID is the one
// namespace that setns changes for children only, so doing it around the clone spares an intermediate
// process: the new process is the caller's own child, with a pidfd. The destructor restores; if that fails
// the process ends itself, as every later child would be born in a container's namespace.
class PidNamespaceScope {
 public:
  PidNamespaceScope() = default;
  ~PidNamespaceScope();
  PidNamespaceScope(const PidNamespaceScope&) = delete;
  PidNamespaceScope& operator=(const PidNamespaceScope&) = delete;
  Result<Ok> enter_process(int pidfd, pid_t pid);
  Result<Ok> enter(int namespace_fd);

 private:
  Result<Ok> remember();
  UniqueFd own_;
};

}  // namespace edgepod
