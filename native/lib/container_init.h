// The child's side of a start: from the clone to execve (internal to container.h).
#pragma once

#include "lib/container.h"
#include "lib/error_pipe.h"
#include "lib/namespaces.h"
#include "lib/seccomp.h"

namespace edgepod {

struct InitContext {
  const ContainerParams* params;
  const NamespacePlan* namespaces;
  const SeccompProgram* seccomp;  // null: no filter
};

struct ExecContext {
  const ExecParams* params;
  const SeccompProgram* seccomp;
};

// Both return only on failure. `error_fd` is where that failure is to be reported; it changes on the way.
Error run_container_init(const InitContext& context, int& error_fd, bool in_cgroup);
Error run_exec(const ExecContext& context, int& error_fd, bool in_cgroup);

// Joins what the clone has not put the process into already. By its own hand, so before anything else of the
// start and without a round trip through the parent.
Result<Ok> enter_cgroup(const Cgroup* cgroup, bool born_in_it);

}  // namespace edgepod
