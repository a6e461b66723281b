// create, run and exec.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <optional>

#include "lib/cgroup/cgroup.h"
#include "lib/container.h"
#include "lib/sys.h"
#include "runner/oci/state.h"

namespace edgepod {
namespace {

std::string now_text() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct tm utc;
  gmtime_r(&now.tv_sec, &utc);
  char text[64];
  const size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text + n, sizeof text - n, ".%09ldZ", now.tv_nsec);
  return text;
}

Result<std::string> cgroup_path(const Spec& spec, const std::string& id) {
  if (spec.cgroups_path.empty()) return "edgepod-runner-" + id;
  if (spec.cgroups_path.find(':') != std::string::npos)
    return input_error("parse-spec", "linux.cgroupsPath: systemd slices are not supported, give a path",
                       ENOTSUP);
  const size_t start = spec.cgroups_path.find_first_not_of('/');
  if (start == std::string::npos)
    return input_error("parse-spec", "linux.cgroupsPath: names the root cgroup");
  return spec.cgroups_path.substr(start);
}

// A container under construction: what the destructor finds not handed over is taken down again.
class Construction {
 public:
  explicit Construction(const OciOptions& options) : options_(options) {}
  ~Construction() {
    if (!armed_) return;
    if (cgroup) {
      (void)cgroup->kill_all();
      if (process.pid > 0) waitpid(process.pid, nullptr, 0);
      (void)cgroup->remove();
    }
    if (state_dir) (void)remove_state_dir(options_);
  }
  void keep() { armed_ = false; }

  UniqueFd bundle, state_dir, gate;
  Spec spec;
  std::optional<Cgroup> cgroup;
  ContainerProcess process;

 private:
  const OciOptions& options_;
  bool armed_ = true;
};

Result<Ok> open_bundle(const OciOptions& options, Construction& c) {
  c.bundle.reset(open(options.bundle.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!c.bundle) return errno_error("open-bundle", options.bundle);
  auto spec = load_spec(c.bundle.get());
  if (!spec) return std::move(spec.error());
  c.spec = std::move(*spec);
  if (c.spec.has_hooks) return input_error("parse-spec", "hooks: are not supported", ENOTSUP);
  return Ok{};
}

Result<Ok> make_cgroup(const OciOptions& options, Construction& c) {
  auto path = cgroup_path(c.spec, options.id);
  if (!path) return std::move(path.error());
  Resources resources;
  if (c.spec.resources) {
    auto parsed = parse_resources(*c.spec.resources);
    if (!parsed) return std::move(parsed.error());
    resources = std::move(*parsed);
  }
  auto cgroup = Cgroup::create(*path, resources);
  if (!cgroup) return std::move(cgroup.error());
  c.cgroup.emplace(std::move(*cgroup));
  return Ok{};
}

Result<Ok> make_gate(Construction& c) {
  if (mkfifoat(c.state_dir.get(), kGateName, 0600) < 0) return errno_error("state", kGateName);
  // Open for both directions: the reading child must not see end of file when this process exits.
  c.gate.reset(openat(c.state_dir.get(), kGateName, O_RDWR | O_CLOEXEC));
  if (!c.gate) return errno_error("state", kGateName);
  return Ok{};
}

Result<Ok> write_pid_file(const std::string& path, pid_t pid) {
  if (path.empty()) return Ok{};
  const std::string text = std::to_string(pid);
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return errno_error("pid-file", path);
  return write_all(file.get(), text.data(), text.size(), "pid-file");
}

Result<Ok> construct(const OciOptions& options, Construction& c, bool gated) {
  EDGEPOD_TRY(open_bundle(options, c));
  auto dir = make_state_dir(options);
  if (!dir) return std::move(dir.error());
  c.state_dir = std::move(*dir);
  EDGEPOD_TRY(make_cgroup(options, c));
  if (gated) EDGEPOD_TRY(make_gate(c));
  ContainerParams params;
  params.spec = &c.spec;
  params.bundle_fd = c.bundle.get();
  params.cgroup = &*c.cgroup;
  params.start_gate = gated ? c.gate.get() : -1;
  auto process = start_container(params);
  if (!process) return std::move(process.error());
  c.process = std::move(*process);
  OciState state;
  char bundle[PATH_MAX];
  state.id = options.id;
  state.bundle = realpath(options.bundle.c_str(), bundle) ? bundle : options.bundle;
  state.cgroup = c.cgroup->path();
  state.created = now_text();
  state.pid = c.process.pid;
  state.start_time = process_start_time(c.process.pid);
  EDGEPOD_TRY(save_state(c.state_dir.get(), state));
  return write_pid_file(options.pid_file, state.pid);
}

// Passes signals on until the process ends. Exit status as a shell gives it.
int supervise(pid_t pid, const sigset_t& waited) {
  for (;;) {
    int status;
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    siginfo_t info;
    if (sigwaitinfo(&waited, &info) < 0) continue;
    if (info.si_signo != SIGCHLD) kill(pid, info.si_signo);
  }
}

sigset_t block_forwarded() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH})
    sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return set;
}

}  // namespace

Result<int> oci_create(const OciOptions& options) {
  Construction c(options);
  EDGEPOD_TRY(construct(options, c, true));
  c.keep();
  return 0;
}

Result<int> oci_run(const OciOptions& options) {
  const sigset_t waited = block_forwarded();
  Construction c(options);
  EDGEPOD_TRY(construct(options, c, false));
  if (options.detach) {
    c.keep();
    return 0;
  }
  const int status = supervise(c.process.pid, waited);
  c.process.pid = -1;  // reaped: the destructor takes down the rest
  return status;
}

Result<int> oci_exec(const OciOptions& options) {
  const sigset_t waited = block_forwarded();
  auto dir = open_state_dir(options);
  if (!dir) return std::move(dir.error());
  auto state = load_state(dir->get());
  if (!state) return std::move(state.error());
  UniqueFd pidfd(sys_pidfd_open(state->pid));
  if (status_of(dir->get(), *state) != OciStatus::Running)
    return input_error("state", "container " + options.id + " is not running", ESRCH);
  UniqueFd bundle(open(state->bundle.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!bundle) return errno_error("open-bundle", state->bundle);
  auto spec = load_spec(bundle.get());
  if (!spec) return std::move(spec.error());
  auto cgroup = Cgroup::open(state->cgroup);
  if (!cgroup) return std::move(cgroup.error());
  ExecParams params;
  params.spec = &*spec;
  params.args = options.args;
  params.env = options.env;
  params.cwd = options.cwd;
  params.target_pidfd = pidfd.get();
  params.target_pid = state->pid;
  params.cgroup = &*cgroup;
  auto process = exec_in_container(params);
  if (!process) return std::move(process.error());
  return supervise(process->pid, waited);
}

}  // namespace edgepod
