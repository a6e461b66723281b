#include "runner/shim/infra_child.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "lib/loopback.h"
#include "lib/mount.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

// The kernel's overflow user: owns nothing.
constexpr uid_t kNobody = 65534;

// /proc/sys shows a process the values of its own namespaces: written here, the host's stay as they are.
Result<Ok> write_sysctl(const std::string& name, const std::string& value, const char* hint) {
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  UniqueFd root(open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error("sysctl", "/proc/sys");
  UniqueFd file(openat(root.get(), path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  // Kernels before 6.2 or so keep most of net.core from network namespaces whose users are not the host's.
  if (!file && errno == ENOENT)
    return input_error("sysctl", name + ": this kernel has none in the pod's namespaces" + hint, ENOENT);
  if (!file) return errno_error("sysctl", name);
  if (write(file.get(), value.data(), value.size()) < 0) return errno_error("sysctl", name + "=" + value);
  return Ok{};
}

Result<Ok> set_up_namespaces(const SandboxConfig& config) {
  if (!config.hostname.empty() && sethostname(config.hostname.data(), config.hostname.size()) != 0)
    return errno_error("hostname", config.hostname);
  if (config.own_network) EDGEPOD_TRY(bring_loopback_up());
  const char* hint = config.own_users ? " (it may with hostUsers: true)" : "";
  for (const auto& [name, value] : config.sysctls) EDGEPOD_TRY(write_sysctl(name, value, hint));
  return Ok{};
}

// With users of its own the process is nobody in there until the shim has mapped them.
Result<Ok> wait_for_users(int go) {
  char byte;
  ssize_t got;
  do {
    got = read(go, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) _exit(1);  // the shim says why
  return Ok{};
}

// The root of the pod's users. Until here it was the host's root that acted, to whom the pod's directory
// belongs.
Result<Ok> become_pod_root() {
  if (setresgid(0, 0, 0) != 0) return errno_error("user-namespace", "setresgid");
  if (setresuid(0, 0, 0) != 0) return errno_error("user-namespace", "setresuid");
  return Ok{};
}

// A mount namespace of its own, and a place in it for an empty root.
Result<UniqueFd> leave_mounts(const char* pod_dir) {
  if (unshare(CLONE_NEWNS) != 0) return errno_error("infra-root", "mount namespace");
  if (sys_mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return errno_error("infra-root", "propagation");
  UniqueFd place(open(pod_dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return errno_error("infra-root", pod_dir);
  return place;
}

// With a shared PID namespace the containers see the infra process in their /proc. Its root directory must
// then not be the host's: /proc/1/root is open to a container with CAP_SYS_PTRACE, or with the same user.
Result<Ok> enter_empty_root(const char* pod_dir, int place) {
  constexpr uint64_t kAttributes =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  auto root = new_filesystem("tmpfs", "edgepod-infra", {{"size", "4k"}, {"nr_inodes", "1"}, {"mode", "0555"}},
                             kAttributes);
  if (root) {
    if (sys_move_mount(root->get(), place) != 0 || fchdir(root->get()) != 0)
      return errno_error("infra-root", pod_dir);
  } else {
    if (root.error().err != ENOSYS) return Error{"infra-root", root.error().err, root.error().detail};
    if (sys_mount("edgepod-infra", pod_dir, "tmpfs", mount_flags(kAttributes),
                  "size=4k,nr_inodes=1,mode=0555") != 0)
      return errno_error("infra-root", "tmpfs");
    if (chdir(pod_dir) != 0) return errno_error("infra-root", pod_dir);
  }
  if (sys_pivot_root(".", ".") != 0) return errno_error("infra-root", "pivot_root");
  if (sys_umount(".", MNT_DETACH) != 0) return errno_error("infra-root", "umount");
  if (chdir("/") != 0) return errno_error("infra-root", "/");
  return Ok{};
}

// The infra process needs no right at all: it waits. As another user than root it is also out of reach of a
// container's root that has no capability to trace.
Result<Ok> drop_privileges() {
  if (setgroups(0, nullptr) != 0) return errno_error("infra-user", "setgroups");
  if (setresgid(kNobody, kNobody, kNobody) != 0) return errno_error("infra-user", "setresgid");
  if (setresuid(kNobody, kNobody, kNobody) != 0) return errno_error("infra-user", "setresuid");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("infra-user", "no_new_privs");
  return Ok{};
}

void default_signals() {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The shim may have died before the death signal was armed. Its end of the pipe tells; getppid() does not, it
// is 0 in a new PID namespace.
bool shim_lives(int report) {
  pollfd poller{.fd = report, .events = POLLOUT, .revents = 0};
  return poll(&poller, 1, 0) == 1 && (poller.revents & POLLERR) == 0;
}

// The shim's log stays the shim's: through /proc/1/fd/2 a container that may trace could write to it without
// end.
Result<Ok> leave_log() {
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || dup2(null.get(), STDERR_FILENO) < 0) return errno_error("infra-exec", "/dev/null");
  return Ok{};
}

Result<Ok> become_infra(const SandboxConfig& config, int pause, const char* pod_dir, InfraPipes pipes) {
  EDGEPOD_TRY(leave_log());
  if (config.own_users) EDGEPOD_TRY(wait_for_users(pipes.go));
  UniqueFd place;
  if (config.pid == PidNamespace::Pod) {
    auto left = leave_mounts(pod_dir);
    if (!left) return std::move(left.error());
    place = std::move(*left);
  }
  if (config.own_users) EDGEPOD_TRY(become_pod_root());
  EDGEPOD_TRY(set_up_namespaces(config));
  if (place) EDGEPOD_TRY(enter_empty_root(pod_dir, place.get()));
  EDGEPOD_TRY(drop_privileges());
  // After the change of user, which clears it.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (!shim_lives(pipes.report)) _exit(1);
  default_signals();
  char name[] = "edgepod-pause";
  char* const args[] = {name, nullptr};
  char* const env[] = {nullptr};
  execveat(pause, "", args, env, AT_EMPTY_PATH);
  if (errno == EACCES)
    return input_error("infra-exec", "the pause program must be executable by everyone (mode 0755)", EACCES);
  return errno_error("infra-exec", "pause");
}

}  // namespace

void run_infra_child(const SandboxConfig& config, int pause, const char* pod_dir, InfraPipes pipes) {
  auto result = become_infra(config, pause, pod_dir, pipes);
  InfraFailure failure{};
  failure.err = result.error().err;
  snprintf(failure.step, sizeof failure.step, "%s", result.error().step);
  snprintf(failure.detail, sizeof failure.detail, "%s", result.error().detail.c_str());
  (void)!write(pipes.report, &failure, sizeof failure);
  _exit(1);
}

}  // namespace edgepod
