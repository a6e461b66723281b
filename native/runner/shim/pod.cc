#include "runner/shim/pod.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "lib/sys.h"
#include "runner/shim/control_socket.h"
#include "runner/shim/exit_file.h"
#include "runner/shim/memory.h"
#include "runner/shim/notes.h"

namespace edgepod {
namespace {

constexpr int64_t kTermGraceMs = 10'000;
// Out of descriptors or memory: try to accept again after this, instead of spinning on a ready socket.
constexpr int64_t kAcceptPauseMs = 100;
// Long enough not to disturb a burst of requests, short enough to be a pod's cost most of the time.
constexpr int64_t kQuietMs = 500;

}  // namespace

Result<Ok> Pod::watch(UniqueFd listening, UniqueFd signals) {
  listening_ = std::move(listening);
  signals_ = std::move(signals);
  EDGEPOD_TRY(context_.poller.add(listening_.get(), EPOLLIN, this));
  return context_.poller.add(signals_.get(), EPOLLIN, this);
}

void Pod::run() {
  while (phase_ != Phase::Done) {
    context_.poller.run_once(timeout(monotonic_ms()));
    tick(monotonic_ms());
    settle();
    client_.flush();
  }
}

void Pod::on_ready(int fd, uint32_t) {
  if (fd == signals_.get()) return on_signals();
  accept_client();
}

void Pod::accept_client() {
  UniqueFd connection = accept_control(listening_.get());
  release_later();
  if (connection) return client_.adopt(std::move(connection));
  if (errno == EAGAIN) return;
  context_.poller.change(listening_.get(), 0);
  accept_again_ms_ = monotonic_ms() + kAcceptPauseMs;
}

void Pod::on_signals() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGTERM) continue;
    note("SIGTERM: stopping the pod");
    begin_stopping(kTermGraceMs);
  }
  // SIGCHLD does not count: one may stand for many.
  reap();
}

void Pod::reap() {
  siginfo_t info{};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) {
    on_child(info, monotonic_ms());
    info.si_pid = 0;
  }
}

void Pod::on_child(const siginfo_t& info, int64_t now_ms) {
  if (info.si_pid == context_.sandbox.pid) return on_infra_exit(info);
  for (Member& member : members_) {
    Container& container = *member.container;
    if (container.state() > Container::State::Running || container.pid() != info.si_pid) continue;
    container.finish_start();  // it has come out: no wait
    if (container.state() == Container::State::Running) container.on_init_exit(info, now_ms);
    return;
  }
  for (PendingExec& pending : execs_) {
    if (pending.exec->pid() == info.si_pid) return pending.exec->on_exit(info, now_ms);
  }
  // Anything else is an orphan that was handed to us as subreaper: reaped is all it needs.
}

void Pod::on_infra_exit(const siginfo_t& info) {
  context_.sandbox.pid = -1;
  context_.sandbox.pidfd.reset();
  if (phase_ != Phase::Serving) return;
  lost_ = true;
  ExitStatus status = exit_status(info);
  Event event;
  event.type = EventType::Lost;
  event.reason = status.signal != 0 ? "infra process killed by signal " + std::to_string(status.signal)
                                    : "infra process exited with code " + std::to_string(status.code);
  note(event.reason.c_str());
  journal_.add(std::move(event));
  for (Member& member : members_) member.container->kill();
}

int Pod::timeout(int64_t now_ms) const {
  int64_t next = std::min(accept_again_ms_, release_at_ms_);
  for (const Member& member : members_) next = std::min(next, member.container->deadline());
  for (const PendingExec& pending : execs_) next = std::min(next, pending.exec->deadline());
  if (next == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<int64_t>(next - now_ms, 0, 3'600'000));
}

void Pod::tick(int64_t now_ms) {
  for (Member& member : members_) member.container->tick(now_ms);
  for (PendingExec& pending : execs_) pending.exec->tick(now_ms);
  if (now_ms >= accept_again_ms_) {
    accept_again_ms_ = INT64_MAX;
    context_.poller.change(listening_.get(), EPOLLIN);
  }
  if (now_ms >= release_at_ms_) {
    release_at_ms_ = INT64_MAX;
    release_memory();
  }
}

void Pod::release_later() { release_at_ms_ = monotonic_ms() + kQuietMs; }

// Draws the consequences of what the handlers found: events, answers, the end.
void Pod::settle() {
  settle_starts();
  serve_held();
  for (Member& member : members_) {
    Container& container = *member.container;
    if (container.take_oom()) {
      Event event;
      event.type = EventType::Oom;
      event.container = container.name();
      event.attempt = container.attempt();
      journal_.add(std::move(event));
    }
    if (container.state() != Container::State::Ended || member.published) continue;
    member.published = true;
    release_later();
    publish_exit(container);
  }
  settle_execs();
  if (phase_ == Phase::Stopping) finish_stopping();
}

// Answers the starts that have come out.
void Pod::settle_starts() {
  for (auto& [container, asker, published] : members_) {
    if (!asker) continue;
    if (container->state() == Container::State::Starting) continue;
    if (client_.generation() == asker->client) client_.send(start_answer(asker->id, *container));
    asker.reset();
  }
  std::erase_if(members_,
                [](const Member& member) { return member.container->state() == Container::State::Failed; });
}

void Pod::publish_exit(const Container& container) {
  // File first: what the agent has been told must be found again after a crash of the shim.
  auto written = write_exit_file(context_.exits_dir.get(), container.view());
  if (!written) note("exit file not written", written.error());
  Event event;
  event.type = EventType::Exit;
  event.container = container.name();
  event.attempt = container.attempt();
  event.exit = container.exit();
  journal_.add(std::move(event));
}

void Pod::settle_execs() {
  for (PendingExec& pending : execs_) {
    bool asker_gone = !client_.connected() || client_.generation() != pending.client;
    if (pending.exec->take_started() && !asker_gone) client_.send(pending.exec->started_message());
    if (pending.exec->done()) {
      if (!asker_gone) client_.send(pending.exec->result_message());
    } else if (asker_gone && !pending.abandoned) {
      // Nobody is left who could want the answer, or read the other end of its descriptors.
      pending.abandoned = true;
      pending.exec->kill();
    }
  }
  if (std::erase_if(execs_, [](const PendingExec& pending) { return pending.exec->done(); }) != 0)
    release_later();
}

void Pod::begin_stopping(int64_t grace_ms) {
  phase_ = Phase::Stopping;
  int64_t now = monotonic_ms();
  for (Member& member : members_) member.container->stop(SIGTERM, grace_ms, now);
  if (grace_ms != 0) return;
  for (PendingExec& pending : execs_) pending.exec->kill();
}

// The infra process goes last: with it goes the network the containers may need for their good-bye.
void Pod::finish_stopping() {
  if (running() != 0 || !execs_.empty()) return;
  if (context_.sandbox.pid < 0) {
    phase_ = Phase::Done;
    return;
  }
  if (context_.sandbox.pidfd) {
    (void)sys_pidfd_send_signal(context_.sandbox.pidfd.get(), SIGKILL);
  } else {
    ::kill(context_.sandbox.pid, SIGKILL);
  }
}

size_t Pod::running() const {
  return static_cast<size_t>(std::count_if(members_.begin(), members_.end(), [](const Member& member) {
    return member.container->state() != Container::State::Ended;
  }));
}

}  // namespace edgepod
