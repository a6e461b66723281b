#include "lib/process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <iterator>

#include "lib/caps.h"
#include "lib/error_pipe.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

// A working directory inside one of our own descriptors (/proc/self/fd/7) would be the host's
// (CVE-2024-21626). Every descriptor that could lead out is closed by now; that the result is below the root
// is verified all the same: the kernel answers "(unreachable)/…" otherwise.
Result<Ok> enter_directory(const std::string& cwd) {
  if (chdir(cwd.c_str()) < 0) return errno_error("chdir", cwd);
  char where[PATH_MAX + 1];
  const long n = syscall(SYS_getcwd, where, sizeof where);
  if (n < 0) return errno_error("chdir", cwd);
  if (where[0] != '/') return input_error("chdir", cwd + ": is outside of the container's root", EPERM);
  return Ok{};
}

// Always explicit, so that the agent's own raised limits do not leak into containers.
Result<Ok> set_limits(const std::vector<SpecRlimit>& limits) {
  for (const SpecRlimit& limit : limits) {
    struct rlimit wanted = {limit.soft, limit.hard};
    const auto resource = static_cast<__rlimit_resource_t>(limit.resource);
    if (setrlimit(resource, &wanted) == 0) continue;
    struct rlimit current;
    if (errno != EPERM || getrlimit(resource, &current) < 0) return errno_error("rlimits");
    // Root without CAP_SYS_RESOURCE cannot raise the hard limit: as much of it as there is.
    wanted.rlim_max = std::min(wanted.rlim_max, current.rlim_max);
    wanted.rlim_cur = std::min(wanted.rlim_cur, wanted.rlim_max);
    if (setrlimit(resource, &wanted) < 0) return errno_error("rlimits");
  }
  return Ok{};
}

// So that /dev/stdout can be opened by its path as another user. Devices are left alone: they are the host's.
void give_stdio(uint32_t uid) {
  if (uid == 0) return;
  for (int fd = 0; fd < 3; fd++) {
    struct stat st;
    if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
      (void)!fchown(fd, uid, static_cast<gid_t>(-1));
  }
}

Result<Ok> set_identity(const ProcessPlan& plan) {
  const Identity& identity = plan.identity;
  const CapabilitySets sets = plan.process->capabilities.value_or(CapabilitySets{});
  EDGEPOD_TRY(drop_bounding(sets.bounding));
  // Permitted capabilities survive the change of user until they are set exactly.
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return errno_error("set-user", "keepcaps");
  // Raw calls: the C library's versions are for multi-threaded programs.
  if (syscall(SYS_setgroups, identity.groups.size(), identity.groups.data()) < 0)
    return errno_error("set-user", "setgroups");
  if (syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) < 0)
    return errno_error("set-user", "setresgid");
  if (syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) < 0)
    return errno_error("set-user", "setresuid");
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0) return errno_error("set-user", "keepcaps");
  return set_capabilities(sets);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

Result<Ok> wait_at_gate() {
  report_ready(kErrorFd);
  char byte;
  ssize_t n;
  do n = read(kGateFd, &byte, 1);
  while (n < 0 && errno == EINTR);
  if (n != 1) _exit(1);  // deleted instead of started
  close(kGateFd);
  return Ok{};
}

// Everything between the container's root and execve that can fail, in the order that matters.
Result<Ok> prepare(const ProcessPlan& plan, std::string& file) {
  const SpecProcess& process = *plan.process;
  auto entered = enter_directory(plan.cwd);
  if (!entered && entered.error().err != EACCES) return entered;
  if (plan.new_session && setsid() < 0 && errno != EPERM) return errno_error("setsid");
  EDGEPOD_TRY(set_limits(process.rlimits));
  give_stdio(plan.users.first + plan.identity.uid);
  // Raising limits and giving the pipes away were the last things only the host's root can do.
  if (plan.users.own()) {
    EDGEPOD_TRY(enter_users(kUsersFd, plan.own_mounts));
    close(kUsersFd);
  }
  // Without no_new_privs loading a filter needs CAP_SYS_ADMIN, which is about to go.
  if (plan.seccomp && !process.no_new_privileges) EDGEPOD_TRY(seccomp_load(*plan.seccomp, false));
  EDGEPOD_TRY(set_identity(plan));
  // Directories that only the user may enter (root squashed by a network file system).
  if (!entered) EDGEPOD_TRY(enter_directory(plan.cwd));
  // The change of user has disarmed it.
  if (plan.pdeathsig) EDGEPOD_TRY(die_with_parent(kErrorFd));
  auto found = find_executable(plan.args[0], plan.env);
  if (!found) return std::move(found.error());
  file = std::move(*found);
  umask(process.user.umask.value_or(0022));
  if (process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return errno_error("no-new-privileges");
  if (plan.has_gate) EDGEPOD_TRY(wait_at_gate());
  reset_signals();
  // Last of all, so that the profile need not allow what the set-up does.
  if (plan.seccomp && process.no_new_privileges) EDGEPOD_TRY(seccomp_load(*plan.seccomp, true));
  return Ok{};
}

}  // namespace

Result<Ok> take_stdio(int in, int out, int err) {
  const int wanted[3] = {in, out, err};
  int copies[3];
  // Copies first: the given ones may be 0 to 2 in another order.
  for (int i = 0; i < 3; i++)
    if ((copies[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 3)) < 0) return errno_error("stdio");
  for (int i = 0; i < 3; i++)
    if (dup2(copies[i], i) < 0) return errno_error("stdio");
  // Nothing of the host's may be open in the container (CVE-2024-21626).
  return cloexec_from(3);
}

Result<Ok> set_oom_score_adj(const SpecProcess& process) {
  if (!process.oom_score_adj) return Ok{};
  UniqueFd file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(*process.oom_score_adj);
  if (!file || write(file.get(), text.data(), text.size()) < 0) {
    if (errno == EACCES || errno == EPERM) return Ok{};  // no CAP_SYS_RESOURCE: the node's report says so
    return errno_error("oom-score-adj", text);
  }
  return Ok{};
}

void reset_signals() {
  // SIG_IGN survives execve; Node and the shim ignore SIGPIPE.
  for (int signal_number = 1; signal_number < NSIG; signal_number++) {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal_number, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

Result<Ok> die_with_parent(int error_fd) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return errno_error("parent-death-signal");
  if (parent_is_gone(error_fd)) _exit(1);
  return Ok{};
}

Result<Ok> leave_host_descriptors(int error_fd, int gate_fd, int users_fd) {
  constexpr int kAbove = 16;
  constexpr int kPlaces[] = {kErrorFd, kGateFd, kUsersFd};
  const int given[] = {error_fd, gate_fd, users_fd};
  int copies[std::size(given)];
  // Copies first: the given ones may be where another one goes.
  for (size_t i = 0; i < std::size(given); i++) {
    copies[i] = given[i] < 0 ? -1 : fcntl(given[i], F_DUPFD_CLOEXEC, kAbove);
    if (given[i] >= 0 && copies[i] < 0) return errno_error("close-range");
  }
  for (size_t i = 0; i < std::size(given); i++) {
    if (copies[i] < 0) {
      close(kPlaces[i]);
    } else if (dup3(copies[i], kPlaces[i], O_CLOEXEC) < 0) {
      return errno_error("close-range");
    }
  }
  return close_from(kUsersFd + 1);
}

void leave_session_keyring() {
  // ENOSYS: no keyrings in this kernel. Filtered or over quota: none to leak that way either.
  (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr, 0, 0, 0);
}

Error become(const ProcessPlan& plan) {
  std::string file;
  auto ready = prepare(plan, file);
  if (!ready) return std::move(ready.error());
  execve(file.c_str(), pointers(plan.args).data(), pointers(plan.env).data());
  const Error error = errno_error("exec", plan.args[0]);
  // Behind the gate whoever waited for the verdict is gone: the exit status is all that is left to tell it.
  if (plan.has_gate) _exit(error.err == ENOENT ? 127 : 126);
  return error;
}

}  // namespace edgepod
