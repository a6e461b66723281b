#include "runner/shim/exec.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "lib/container.h"
#include "runner/shim/base64.h"
#include "runner/shim/exec_tree.h"
#include "runner/shim/messages.h"
#include "runner/shim/pipes.h"

namespace edgepod {
namespace {

// What the process left running in the background may keep its output open; that is not waited for.
constexpr int64_t kDrainMs = 250;
constexpr int64_t kKillAgainMs = 1000;
constexpr size_t kReadSize = 16 * 1024;
// From the clone to execve, for commands without a timeout. What takes longer hangs: the container can stop
// the process as soon as it is born.
constexpr int64_t kStartMs = 55'000;

}  // namespace

Result<std::unique_ptr<Exec>> Exec::start(PodContext& pod, std::shared_ptr<const Container> container,
                                          const ExecRequest& request, std::vector<UniqueFd> fds,
                                          int64_t exec_id, int64_t request_id) {
  std::unique_ptr<Exec> exec(new Exec(pod, std::move(container)));
  exec->exec_id_ = exec_id;
  exec->request_id_ = request_id;
  exec->attached_ = !fds.empty();
  exec->max_output_ = request.max_output;
  Result<Ok> spawned = exec->attached_ ? exec->spawn(request, {fds[0].get(), fds[1].get(), fds[2].get()})
                                       : exec->spawn_captured(request);
  if (!spawned) return std::move(spawned.error());
  const int64_t now = monotonic_ms();
  if (request.timeout_ms != 0) exec->timeout_at_ms_ = now + request.timeout_ms;
  exec->deadline_ms_ = std::min(exec->timeout_at_ms_, now + kStartMs);
  return exec;
}

Result<Ok> Exec::spawn_captured(const ExecRequest& request) {
  auto out = open_output_pipe();
  if (!out) return std::move(out.error());
  auto err = open_output_pipe();
  if (!err) return std::move(err.error());
  UniqueFd in(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!in) return errno_error("stdio", "/dev/null");
  EDGEPOD_TRY(pod_.poller.add(out->read.get(), EPOLLIN, this));
  capture_[0].fd = std::move(out->read);
  EDGEPOD_TRY(pod_.poller.add(err->read.get(), EPOLLIN, this));
  capture_[1].fd = std::move(err->read);
  return spawn(request, {in.get(), out->write.get(), err->write.get()});
}

Result<Ok> Exec::spawn(const ExecRequest& request, const StdioFds& stdio) {
  auto spec = container_->load_spec();
  if (!spec) return std::move(spec.error());
  ExecParams params;
  params.spec = &*spec;
  params.args = request.args;
  params.env = request.env;
  params.cwd = request.cwd;
  params.target_pidfd = container_->pidfd();
  params.target_pid = container_->pid();
  params.users = pod_.sandbox.users();
  params.cgroup = &container_->cgroup();
  params.stdio = stdio;
  params.pdeathsig = true;
  params.adopts_orphans = request.timeout_ms != 0;
  params.seccomp_cache_dir = pod_.seccomp_cache_dir.c_str();
  auto starting = begin_exec(params);
  if (!starting) return std::move(starting.error());
  starting_ = std::move(*starting);
  pid_ = starting_.process.pid;
  auto watched = pod_.poller.add(starting_.verdict.get(), EPOLLIN, this);
  if (watched) return Ok{};
  kill();
  (void)started_container(std::move(starting_));
  return watched;
}

Exec::~Exec() {
  if (starting_.verdict) pod_.poller.remove(starting_.verdict.get());
  for (Capture& capture : capture_) close(capture);
}

// The verdict is readable, or the process has ended.
void Exec::finish_start() {
  if (!starting_.verdict) return;
  pod_.poller.remove(starting_.verdict.get());
  auto process = started_container(std::move(starting_));
  starting_ = {};
  deadline_ms_ = timeout_at_ms_;
  if (process) {
    tell_started_ = attached_;
    return;
  }
  start_error_ = std::move(process.error());
  exited_ = done_ = true;
}

bool Exec::take_started() { return std::exchange(tell_started_, false); }

void Exec::kill() {
  if (exited_) return;
  kill_exec_tree(container_->cgroup(), pid_);
  deadline_ms_ = monotonic_ms() + kKillAgainMs;
}

void Exec::on_exit(const siginfo_t& info, int64_t now_ms) {
  finish_start();
  if (start_error_) return;
  exited_ = true;
  exit_ = exit_status(info);
  deadline_ms_ = now_ms + kDrainMs;
  drain();
}

void Exec::on_ready(int fd, uint32_t) {
  if (fd == starting_.verdict.get()) return finish_start();
  read_once(fd == capture_[0].fd.get() ? capture_[0] : capture_[1]);
  finish_if_drained();
}

// Reads on beyond the bound and throws away, so that the process does not block on a full pipe: how much a
// container prints must not decide how long its probe takes, nor how much memory the node needs (T-28).
bool Exec::read_once(Capture& capture) {
  if (!capture.fd) return false;
  ssize_t got = read(capture.fd.get(), pod_.buffer, kReadSize);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    close(capture);
    return false;
  }
  size_t room = max_output_ - capture.data.size();
  size_t kept = std::min(static_cast<size_t>(got), room);
  capture.data.append(pod_.buffer, kept);
  if (kept < static_cast<size_t>(got)) truncated_ = true;
  return true;
}

void Exec::drain() {
  for (Capture& capture : capture_) {
    for (size_t turns = (1u << 20) / kReadSize; turns > 0 && read_once(capture); turns--) {
    }
  }
  finish_if_drained();
}

void Exec::finish_if_drained() {
  if (exited_ && !capture_[0].fd && !capture_[1].fd) done_ = true;
}

void Exec::close(Capture& capture) {
  if (!capture.fd) return;
  pod_.poller.remove(capture.fd.get());
  capture.fd.reset();
}

void Exec::tick(int64_t now_ms) {
  if (done_ || now_ms < deadline_ms_) return;
  if (!exited_) {
    timed_out_ = true;
    return kill();
  }
  drain();
  for (Capture& capture : capture_) close(capture);
  done_ = true;
}

std::string Exec::started_message() const {
  JsonText json;
  return json.number("id", request_id_)
      .begin("result")
      .number("execId", exec_id_)
      .number("pid", pid_)
      .end()
      .finish();
}

std::string Exec::result_message() const {
  if (start_error_) return error_message(request_id_, *start_error_);
  JsonText json;
  if (attached_) {
    json.begin("execExit").number("execId", exec_id_);
  } else {
    json.number("id", request_id_).begin("result");
  }
  json.number("exitCode", exit_.code).number("signal", exit_.signal).boolean("timedOut", timed_out_);
  if (!attached_) {
    json.text("stdout", base64(capture_[0].data))
        .text("stderr", base64(capture_[1].data))
        .boolean("truncated", truncated_);
  }
  return json.end().finish();
}

}  // namespace edgepod
