// One more process in a running container (child's side).
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/container_init.h"
#include "lib/lsm.h"
#include "lib/process.h"

namespace edgepod {
namespace {

constexpr int kAll = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWNS;

Result<Identity> enter(const ExecParams& params, int error_fd, bool in_cgroup) {
  if (params.pdeathsig) EDGEPOD_TRY(die_with_parent(error_fd));
  // Survives execve. Without, what daemonizes would leave the tree, and the timeout of a probe could not end
  // it.
  if (params.adopts_orphans && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    return errno_error("exec", "subreaper");
  EDGEPOD_TRY(take_stdio(params.stdio.in, params.stdio.out, params.stdio.err));
  EDGEPOD_TRY(enter_cgroup(params.cgroup, in_cgroup));
  EDGEPOD_TRY(set_oom_score_adj(params.spec->process));
  EDGEPOD_TRY(set_apparmor_profile(params.spec->process.apparmor_profile));
  // The PID namespace came with the clone. The kernel sets root and working directory to the container's.
  EDGEPOD_TRY(join_process(params.target_pidfd, params.target_pid, kAll));
  leave_session_keyring();
  UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error("join-namespaces", "/");
  return resolve_identity(*params.spec, root.get(), true);
}

}  // namespace

Error run_exec(const ExecContext& context, int& error_fd, bool in_cgroup) {
  const ExecParams& params = *context.params;
  auto identity = enter(params, error_fd, in_cgroup);
  if (!identity) return std::move(identity.error());
  auto left = leave_host_descriptors(error_fd, -1, params.users.fd);
  if (!left) return std::move(left.error());
  error_fd = kErrorFd;
  ProcessPlan plan;
  plan.process = &params.spec->process;
  plan.args = params.args;
  plan.env = build_environment(params.spec->process.env, params.env, identity->home);
  plan.identity = std::move(*identity);
  plan.cwd = params.cwd.empty() ? params.spec->process.cwd : params.cwd;
  plan.seccomp = context.seccomp;
  plan.pdeathsig = params.pdeathsig;
  plan.users = params.users;
  return become(plan);
}

}  // namespace edgepod
