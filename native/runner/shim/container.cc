#include "runner/shim/container.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "lib/container.h"
#include "lib/log/timestamp.h"
#include "lib/sys.h"
#include "runner/shim/bundle.h"
#include "runner/shim/pipes.h"

namespace edgepod {
namespace {

// After the kill nothing of the container can write any more; what may keep a pipe open is a descriptor
// that was handed to a process elsewhere. Its output is not waited for.
constexpr int64_t kDrainMs = 1000;
// A kill that left processes (uninterruptible, or the freezer was slow) is repeated.
constexpr int64_t kKillAgainMs = 1000;
// From the clone to execve. Slow flash takes seconds; what takes longer hangs, for instance because a
// container of the same PID namespace stopped it. Below the 60 s for which the agent waits.
constexpr int64_t kStartMs = 55'000;

}  // namespace

Result<std::unique_ptr<Container>> Container::start(PodContext& pod, const StartRequest& request,
                                                    const Container* pid_target) {
  std::unique_ptr<Container> container(new Container(pod));
  auto bundle = open_bundle(pod.dir.get(), request.bundle);
  if (!bundle) return std::move(bundle.error());
  container->bundle_ = std::move(*bundle);
  auto spec = container->load_spec();
  if (!spec) return std::move(spec.error());
  auto prepared = container->prepare(request, *spec);
  if (prepared) prepared = container->spawn(*spec, pid_target);
  if (!prepared) {
    container->undo();
    return std::move(prepared.error());
  }
  return container;
}

Result<Ok> Container::prepare(const StartRequest& request, const Spec& spec) {
  name_ = request.name;
  attempt_ = request.attempt;
  labels_ = request.labels;
  const std::string path = pod_.cgroup_path + "/" + name_;
  if (!spec.cgroups_path.empty() && spec.cgroups_path != path)
    return input_error("cgroup-create", "linux.cgroupsPath must be " + path);
  Resources resources;
  if (spec.resources != nullptr) {
    auto parsed = parse_resources(*spec.resources);
    if (!parsed) return std::move(parsed.error());
    resources = std::move(*parsed);
  }
  // As kubelet (singleProcessOOMKill unset): a container that lost one process to the OOM killer is not left
  // running half dead.
  resources.oom_group = true;
  auto cgroup = Cgroup::create(path, resources, &notes_);
  if (!cgroup) return std::move(cgroup.error());
  cgroup_ = std::make_unique<Cgroup>(std::move(*cgroup));
  return output_.open_log(request.log_path, request.log_limits);
}

Result<Ok> Container::spawn(const Spec& spec, const Container* pid_target) {
  auto ends = output_.open_pipes();
  if (!ends) return std::move(ends.error());
  const std::string* input = spec.annotation(kAnnotationStdin);
  auto in = open_input(input != nullptr && *input == "open", input_);
  if (!in) return std::move(in.error());
  ContainerParams params;
  params.spec = &spec;
  params.bundle_fd = bundle_.get();
  params.stdio = {in->get(), ends->out.get(), ends->err.get()};
  params.cgroup = cgroup_.get();
  params.infra_pidfd = pod_.sandbox.pidfd.get();
  params.infra_pid = pod_.sandbox.pid;
  if (pid_target != nullptr) {
    params.pid_target_pidfd = pid_target->pidfd();
    params.pid_target_pid = pid_target->pid();
  }
  params.users = pod_.sandbox.users();
  params.pdeathsig = true;
  params.seccomp_cache_dir = pod_.seccomp_cache_dir.c_str();
  auto starting = begin_container(params);
  if (!starting) return std::move(starting.error());
  starting_ = std::move(*starting);
  pid_ = starting_.process.pid;
  deadline_ms_ = monotonic_ms() + kStartMs;
  return pod_.poller.add(starting_.verdict.get(), EPOLLIN, this);
}

void Container::finish_start() {
  if (state_ != State::Starting) return;
  auto running = begin_running();
  state_ = running ? State::Running : State::Failed;
  if (running) {
    deadline_ms_ = stop_at_ms_;
    if (stop_signal_ != 0) (void)send_signal(stop_signal_);
    return;
  }
  start_error_ = std::move(running.error());
  undo();
  deadline_ms_ = INT64_MAX;
}

// Its verdict tells when it is gone.
void Container::abort_start(int err, const char* why) {
  if (!aborted_) start_error_ = Error{"start", err, name_ + why};
  aborted_ = true;
  (void)signal_init(SIGKILL);
  deadline_ms_ = monotonic_ms() + kKillAgainMs;
}

// Only while it has not been reaped: then even without a pidfd the pid can belong to nobody else.
int Container::signal_init(int signal) const {
  const UniqueFd& pidfd = pidfd_ ? pidfd_ : starting_.process.pidfd;
  return pidfd ? sys_pidfd_send_signal(pidfd.get(), signal) : ::kill(pid_, signal);
}

Result<Ok> Container::begin_running() {
  pod_.poller.remove(starting_.verdict.get());
  if (aborted_) return std::move(start_error_);
  auto process = started_container(std::move(starting_));
  if (!process) {
    pid_ = -1;  // reaped
    return std::move(process.error());
  }
  exit_.started_at = wall_clock();
  user_ = process_user(pid_, pod_.sandbox.users().first);
  pidfd_ = std::move(process->pidfd);
  watch_oom();
  return output_.watch(this);
}

void Container::watch_oom() {
  oom_fd_ = cgroup_->oom_event_fd();
  if (oom_fd_ >= 0 && !pod_.poller.add(oom_fd_, EPOLLIN, this)) oom_fd_ = -1;
}

// Takes a failed start back.
void Container::undo() {
  if (cgroup_) {
    (void)cgroup_->kill_all();
    if (pid_ > 0) {
      siginfo_t info;
      // It need not have got as far as into its cgroup.
      (void)signal_init(SIGKILL);
      (void)waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
    }
    (void)cgroup_->remove();
  }
  output_.discard();
  input_.reset();
}

Container::~Container() {
  if (oom_fd_ >= 0) pod_.poller.remove(oom_fd_);
}

ContainerView Container::view() const {
  return {
      name_, attempt_, pid_, exit_.started_at, labels_, &user_, state_ == State::Ended ? &exit_ : nullptr};
}

Result<Spec> Container::load_spec() const { return load_bundle_spec(bundle_.get()); }

void Container::stop(int signal, int64_t grace_ms, int64_t now_ms) {
  if (state_ > State::Running) return;
  if (grace_ms == 0) return kill();
  stop_at_ms_ = std::min(stop_at_ms_, now_ms + grace_ms);
  deadline_ms_ = std::min(deadline_ms_, stop_at_ms_);
  if (stop_signal_ != 0) return;
  stop_signal_ = signal;
  if (state_ == State::Running) (void)send_signal(signal);
}

void Container::kill() {
  if (state_ == State::Starting) return abort_start(ECANCELED, ": was stopped before it had started");
  if (state_ != State::Running) return;
  (void)cgroup_->kill_all();
  (void)send_signal(SIGKILL);
  deadline_ms_ = monotonic_ms() + kKillAgainMs;
}

Result<Ok> Container::send_signal(int signal) const {
  if (state_ != State::Running) return input_error("signal", name_ + " has ended", ESRCH);
  if (signal_init(signal) != 0) return errno_error("signal", name_);
  return Ok{};
}

void Container::on_init_exit(const siginfo_t& info, int64_t now_ms) {
  timespec started = exit_.started_at;
  exit_ = exit_status(info);
  exit_.started_at = started;
  exit_.finished_at = wall_clock();
  (void)cgroup_->kill_all();
  state_ = State::Draining;
  deadline_ms_ = now_ms + kDrainMs;
  drain();
}

void Container::on_ready(int fd, uint32_t) {
  if (state_ == State::Starting) return finish_start();
  if (fd == oom_fd_) {
    cgroup_->drain_oom_event();
    oom_seen_ = true;
    return;
  }
  output_.read_some(fd);
  if (state_ == State::Draining && output_.ended()) finish();
}

void Container::drain() {
  output_.drain();
  if (output_.ended()) finish();
}

void Container::tick(int64_t now_ms) {
  if (now_ms < deadline_ms_) return;
  if (state_ == State::Starting && now_ms < stop_at_ms_)
    return abort_start(ETIMEDOUT, ": its set-up did not come to an end within 55 s");
  if (state_ <= State::Running) return kill();
  if (state_ != State::Draining) return;
  drain();
  finish();
}

void Container::finish() {
  if (state_ == State::Ended) return;
  state_ = State::Ended;
  input_.reset();
  deadline_ms_ = INT64_MAX;
  // The counter, not the event: the event may come late or never. And only for a process that SIGKILL ended:
  // the OOM kill of some other process in the cgroup does not make this exit one.
  exit_.oom_killed = exit_.code == 128 + SIGKILL && cgroup_->oom_kills() > 0;
  if (oom_fd_ >= 0) {
    pod_.poller.remove(oom_fd_);
    oom_fd_ = -1;
    oom_seen_ = true;
  }
  output_.close();
  pidfd_.reset();
  bundle_.reset();
}

Result<Ok> Container::remove_cgroup() const {
  auto removed = cgroup_->remove();
  if (removed || removed.error().err != EBUSY) return removed;
  EDGEPOD_TRY(cgroup_->kill_all());
  return cgroup_->remove();
}

bool Container::take_oom() {
  if (!oom_seen_) return false;
  oom_seen_ = false;
  uint64_t kills = cgroup_->oom_kills();
  bool more = kills > oom_kills_;
  oom_kills_ = kills;
  return more;
}

}  // namespace edgepod
