// The parent's side of a start: everything that can be done before the child exists, the clone, and the wait
// for the child's verdict. The child's side is container_init.cc and exec.cc.
#include "lib/container.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lib/cgroup/cgroup.h"
#include "lib/container_init.h"
#include "lib/namespaces.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

// Signals wait while the child still has this process's handlers.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// A child that failed ends by itself, unless a container that shares its PID namespace has stopped it.
void end_and_reap(const ContainerProcess& process) {
  if (process.pidfd) {
    (void)sys_pidfd_send_signal(process.pidfd.get(), SIGKILL);
  } else {
    (void)kill(process.pid, SIGKILL);
  }
  while (waitpid(process.pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

// Descriptors below 3 would be overwritten by the child's standard streams.
Result<Ok> keep_clear_of_stdio(UniqueFd& fd) {
  if (fd.get() > 2) return Ok{};
  const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return errno_error("start", "fcntl");
  fd.reset(copy);
  return Ok{};
}

Result<SeccompProgram> load_filter(const Spec& spec, const char* cache_dir) {
  if (!spec.seccomp) return SeccompProgram{};
  return seccomp_program_isolated(*spec.seccomp, cache_dir);
}

// Clones, and runs `child` in the new process.
template <typename Child>
Result<StartingContainer> launch(const CloneRequest& request, Child&& child) {
  auto pipe = ErrorPipe::create();
  if (!pipe) return std::move(pipe.error());
  EDGEPOD_TRY(keep_clear_of_stdio(pipe->read_end));
  EDGEPOD_TRY(keep_clear_of_stdio(pipe->write_end));
  // Children inherit it from their first instruction on: in a shared PID namespace no process of the
  // container can ptrace one of them, or open its /proc/<pid>/{fd,exe,mem} (CVE-2016-9962, CVE-2019-5736).
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  SignalsBlocked blocked;
  auto cloned = clone_process(request);
  if (!cloned) return std::move(cloned.error());
  if (cloned->pid == 0) {
    pipe->read_end.reset();
    int error_fd = pipe->write_end.get();
    const Error error = child(error_fd, cloned->in_cgroup);
    report_failure(error_fd, error);
    _exit(1);
  }
  StartingContainer starting;
  starting.process.pid = cloned->pid;
  starting.process.pidfd = std::move(cloned->pidfd);
  starting.verdict = std::move(pipe->read_end);
  return starting;
}

Result<Ok> check_supported(const Spec& spec) {
  if (spec.process.terminal)
    return input_error("parse-spec", "process.terminal: terminals are not supported", ENOTSUP);
  return Ok{};
}

}  // namespace

Result<StartingContainer> begin_container(const ContainerParams& params) {
  const Spec& spec = *params.spec;
  EDGEPOD_TRY(check_supported(spec));
  auto namespaces = plan_namespaces(spec, params.infra_pidfd >= 0 || params.infra_pid > 0);
  if (!namespaces) return std::move(namespaces.error());
  auto filter = load_filter(spec, params.seccomp_cache_dir);
  if (!filter) return std::move(filter.error());
  PidNamespaceScope pid_scope;
  const bool targeted = params.pid_target_pidfd >= 0 || params.pid_target_pid > 0;
  if (targeted) {
    namespaces->clone_flags &= ~static_cast<uint64_t>(CLONE_NEWPID);
    namespaces->sandbox_pid = false;
    namespaces->pid_namespace.reset();
    EDGEPOD_TRY(pid_scope.enter_process(params.pid_target_pidfd, params.pid_target_pid));
  }
  if (namespaces->sandbox_pid) EDGEPOD_TRY(pid_scope.enter_process(params.infra_pidfd, params.infra_pid));
  if (namespaces->pid_namespace) EDGEPOD_TRY(pid_scope.enter(namespaces->pid_namespace.get()));
  const InitContext context{&params, &*namespaces, spec.seccomp ? &*filter : nullptr};
  const CloneRequest request{namespaces->clone_flags, params.cgroup ? params.cgroup->clone_fd() : -1};
  return launch(request, [&](int& error_fd, bool in_cgroup) {
    return run_container_init(context, error_fd, in_cgroup);
  });
}

Result<ContainerProcess> started_container(StartingContainer starting) {
  auto verdict = wait_for_child(starting.verdict.get());
  if (!verdict) {
    end_and_reap(starting.process);
    return std::move(verdict.error());
  }
  return std::move(starting.process);
}

Result<ContainerProcess> start_container(const ContainerParams& params) {
  auto starting = begin_container(params);
  if (!starting) return std::move(starting.error());
  return started_container(std::move(*starting));
}

Result<StartingContainer> begin_exec(const ExecParams& params) {
  EDGEPOD_TRY(check_supported(*params.spec));
  if (params.args.empty()) return input_error("exec", "the command is empty", ENOENT);
  auto filter = load_filter(*params.spec, params.seccomp_cache_dir);
  if (!filter) return std::move(filter.error());
  PidNamespaceScope pid_scope;
  EDGEPOD_TRY(pid_scope.enter_process(params.target_pidfd, params.target_pid));
  const ExecContext context{&params, params.spec->seccomp ? &*filter : nullptr};
  const CloneRequest request{0, params.cgroup ? params.cgroup->clone_fd() : -1};
  return launch(request,
                [&](int& error_fd, bool in_cgroup) { return run_exec(context, error_fd, in_cgroup); });
}

Result<ContainerProcess> exec_in_container(const ExecParams& params) {
  auto starting = begin_exec(params);
  if (!starting) return std::move(starting.error());
  return started_container(std::move(*starting));
}

}  // namespace edgepod
