#include "runner/shim/startup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/container_init.h"
#include "lib/sys.h"
#include "runner/shim/control_socket.h"
#include "runner/shim/notes.h"
#include "runner/shim/teardown.h"

namespace edgepod {
namespace {

constexpr const char* kDirStep = "pod-dir";

Result<Ok> open_pod_dir(const std::string& path, PodContext& context) {
  context.dir.reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!context.dir) return errno_error(kDirStep, path);
  // Held until the shim ends: two shims in one directory would fight over one pod.
  if (flock(context.dir.get(), LOCK_EX | LOCK_NB) != 0)
    return errno_error(kDirStep, "another shim serves " + path);
  if (fchdir(context.dir.get()) != 0) return errno_error(kDirStep, path);
  context.seccomp_cache_dir = path + "/../../seccomp";
  (void)mkdir(context.seccomp_cache_dir.c_str(), 0700);
  return Ok{};
}

Result<Ok> make_exits_dir(PodContext& context) {
  if (mkdirat(context.dir.get(), "exits", 0700) != 0 && errno != EEXIST)
    return errno_error(kDirStep, "exits");
  context.exits_dir.reset(
      openat(context.dir.get(), "exits", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!context.exits_dir) return errno_error(kDirStep, "exits");
  return Ok{};
}

Result<SandboxConfig> load_config(int dir) {
  UniqueFd file(openat(dir, "sandbox.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno_error("sandbox-config", "sandbox.json");
  auto text = read_all(file.get(), kMaxSandboxJson, "sandbox-config");
  if (!text) return std::move(text.error());
  return parse_sandbox_config(*text);
}

Result<Ok> open_log(int dir) {
  UniqueFd log(
      openat(dir, "shim.log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!log) return errno_error("daemon", "shim.log");
  open_notes(log.get());
  return Ok{};
}

// The foreground's standard streams belong to whoever called it.
Result<Ok> detach_stdio() {
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return errno_error("daemon", "/dev/null");
  dup2(null.get(), STDIN_FILENO);
  dup2(null.get(), STDOUT_FILENO);
  return Ok{};
}

// HUP and INT are for terminals and users, not for a pod. PIPE would come from a client that went away.
// All are blocked rather than ignored: an ignored signal stays ignored across execve.
Result<UniqueFd> take_signals() {
  sigset_t all, wanted;
  sigemptyset(&wanted);
  for (int number : {SIGCHLD, SIGTERM}) sigaddset(&wanted, number);
  all = wanted;
  for (int number : {SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2}) sigaddset(&all, number);
  if (sigprocmask(SIG_SETMASK, &all, nullptr) != 0) return errno_error("signals");
  UniqueFd fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return errno_error("signals");
  return fd;
}

// Lowering it needs CAP_SYS_RESOURCE; without, the shim is killed like anybody else when memory runs out, and
// the agent rebuilds the pod.
void protect_from_oom(int adjustment) {
  UniqueFd file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(adjustment);
  if (!file || write(file.get(), text.data(), text.size()) < 0)
    note("oom_score_adj", errno_error("oom-score"));
}

// Sets context.cgroup_path once there is something to remove: what others made is not ours to take back.
Result<Cgroup> make_cgroups(const SandboxConfig& config, PodContext& context) {
  CgroupNotes notes;
  auto pod = Cgroup::create(config.cgroup, config.resources, &notes);
  if (!pod) return std::move(pod.error());
  context.cgroup_path = config.cgroup;
  // A name no container can have: theirs are DNS labels.
  auto infra = Cgroup::create(config.cgroup + "/_infra", Resources{}, &notes);
  if (!infra) return std::move(infra.error());
  for (const std::string& text : notes) note(text.c_str());
  context.notes = std::move(notes);
  return infra;
}

Result<Ok> write_pid_file(int dir) {
  UniqueFd file(openat(dir, "shim.pid", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return errno_error("pid-file", "shim.pid");
  const std::string text = std::to_string(getpid()) + '\n';
  return write_all(file.get(), text.data(), text.size(), "pid-file");
}

// Through a read-only mount of its own where the kernel can (5.12): in a shared PID namespace a container
// with the capability to trace reaches /proc/1/exe, and must not be able to write to it (CVE-2019-5736).
Result<UniqueFd> open_pause(const std::string& path) {
  UniqueFd tree(sys_open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (tree && sys_mount_setattr(tree.get(), 0, MOUNT_ATTR_RDONLY, 0) == 0) return tree;
  UniqueFd plain(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!plain) return errno_error("infra-exec", path);
  return plain;
}

Result<Ok> make_sandbox(const ShimOptions& options, const SandboxConfig& config, PodContext& context) {
  auto pause = open_pause(options.pause);
  if (!pause) return std::move(pause.error());
  auto sandbox = start_sandbox(config, pause->get(), options.dir.c_str());
  if (!sandbox) return std::move(sandbox.error());
  context.sandbox = std::move(*sandbox);
  return Ok{};
}

Result<Started> serve(const ShimOptions& options, const Prepared& prepared, bool born_at_home,
                      PodContext& context) {
  EDGEPOD_TRY(detach_stdio());
  EDGEPOD_TRY(enter_cgroup(&prepared.home, born_at_home));
  EDGEPOD_TRY(make_exits_dir(context));
  auto signals = take_signals();
  if (!signals) return std::move(signals.error());
  EDGEPOD_TRY(make_sandbox(options, prepared.config, context));
  EDGEPOD_TRY(context.poller.open());
  auto listening = listen_control_socket();
  if (!listening) return std::move(listening.error());
  EDGEPOD_TRY(write_pid_file(context.dir.get()));
  if (chdir("/") != 0) return errno_error("daemon", "/");
  return Started{std::move(*listening), std::move(*signals)};
}

}  // namespace

void take_back(PodContext& context) {
  if (context.sandbox.pid > 0) {
    kill(context.sandbox.pid, SIGKILL);
    (void)waitpid(context.sandbox.pid, nullptr, 0);
  }
  if (!context.cgroup_path.empty()) (void)remove_pod_cgroups(context.cgroup_path);
  remove_control_files(context.dir.get());
  (void)unlinkat(context.dir.get(), "shim.log", 0);
  (void)unlinkat(context.dir.get(), "exits", AT_REMOVEDIR);
}

Result<Prepared> prepare_pod(const ShimOptions& options, PodContext& context) {
  umask(077);
  EDGEPOD_TRY(open_pod_dir(options.dir, context));
  auto config = load_config(context.dir.get());
  if (!config) return std::move(config.error());
  EDGEPOD_TRY(open_log(context.dir.get()));
  auto home = make_cgroups(*config, context);
  if (!home) {
    take_back(context);
    return std::move(home.error());
  }
  return Prepared{std::move(*config), std::move(*home)};
}

Result<Started> start_pod(const ShimOptions& options, const Prepared& prepared, bool born_at_home,
                          PodContext& context) {
  // Orphans of containers without a PID namespace of their own come to us and are reaped.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  protect_from_oom(prepared.config.oom_score_adj);
  auto started = serve(options, prepared, born_at_home, context);
  if (!started) take_back(context);
  return started;
}

}  // namespace edgepod
