#include "lib/probe/engine.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

namespace edgepod {

namespace {

constexpr uint64_t kWakeTag = ~uint64_t{0};
constexpr int kEventsMax = 64;
// A pod waits for its first answer, so it comes soon, yet not at one moment for all the pods of an agent that
// has just started; the second one falls anywhere in a quarter of a period, and so does every one after it.
constexpr int64_t kFirstJitterMax = 100;
// Wake-ups closer together than this become one. A probe is not late by it in any sense that counts.
constexpr unsigned long kTimerSlackNs = 2'000'000;

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

uint64_t tag_of(uint32_t id, uint32_t connection) { return uint64_t{connection} << 32 | id; }

}  // namespace

Result<std::unique_ptr<ProbeEngine>> ProbeEngine::create(Report report) {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return errno_error("probe-engine", "epoll_create1");
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return errno_error("probe-engine", "eventfd");
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0)
    return errno_error("probe-engine", "epoll_ctl");
  return std::unique_ptr<ProbeEngine>(new ProbeEngine(std::move(epoll), std::move(wake), std::move(report)));
}

ProbeEngine::ProbeEngine(UniqueFd epoll, UniqueFd wake, Report report)
    : epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      report_(std::move(report)),
      random_(static_cast<uint32_t>(now_ms())) {}

void ProbeEngine::add(uint32_t id, ProbeTarget target, const ProbeTiming& timing) {
  post({id, std::make_pair(std::move(target), timing)});
}

void ProbeEngine::remove(uint32_t id) { post({id, std::nullopt}); }

void ProbeEngine::post(Command command) {
  {
    std::lock_guard const lock(mutex_);
    commands_.push_back(std::move(command));
  }
  eventfd_write(wake_.get(), 1);
}

void ProbeEngine::stop() {
  stopping_ = true;
  eventfd_write(wake_.get(), 1);
}

int64_t ProbeEngine::jitter(int64_t max) {
  return max <= 0 ? 0 : std::uniform_int_distribution<int64_t>(0, max)(random_);
}

void ProbeEngine::run() {
  prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0, 0, 0);
  epoll_event events[kEventsMax];
  while (!stopping_) {
    int timeout = -1;
    if (!due_.empty())
      timeout = static_cast<int>(std::clamp<int64_t>(due_.begin()->first - now_ms(), 0, 3600000));
    int const count = epoll_wait(epoll_.get(), events, kEventsMax, timeout);
    for (int at = 0; at < count; ++at) {
      if (events[at].data.u64 == kWakeTag)
        obey();
      else
        ready(events[at].data.u64, events[at].events);
    }
    run_due(now_ms());
  }
}

void ProbeEngine::obey() {
  eventfd_t count;
  eventfd_read(wake_.get(), &count);
  std::vector<Command> commands;
  {
    std::lock_guard const lock(mutex_);
    commands.swap(commands_);
  }
  for (Command& command : commands) {
    if (command.added) {
      insert(command.id, std::move(command.added->first), command.added->second);
    } else if (auto const found = watches_.find(command.id); found != watches_.end()) {
      due_.erase({found->second.due, command.id});
      watches_.erase(found);  // its socket is closed, and so leaves epoll
    }
  }
}

void ProbeEngine::insert(uint32_t id, ProbeTarget target, const ProbeTiming& timing) {
  Thresholds const thresholds(timing.success_threshold, timing.failure_threshold);
  auto const [place, fresh] = watches_.try_emplace(id, Watch{std::move(target), timing, thresholds, {}});
  if (!fresh) return;
  int64_t const wait = timing.initial_delay + jitter(std::min(timing.period / 10, kFirstJitterMax));
  schedule(id, place->second, now_ms() + wait);
}

void ProbeEngine::schedule(uint32_t id, Watch& watch, int64_t due) {
  due_.erase({watch.due, id});
  watch.due = due;
  due_.insert({due, id});
}

void ProbeEngine::run_due(int64_t now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    uint32_t const id = due_.begin()->second;
    Watch& watch = watches_.at(id);
    if (watch.attempt)
      answered(id, watch, watch.attempt->timed_out());
    else
      begin(id, watch, now);
  }
}

void ProbeEngine::begin(uint32_t id, Watch& watch, int64_t now) {
  watch.attempt = std::make_unique<Attempt>(watch.target);
  watch.watched = 0;
  watch.started = now;
  schedule(id, watch, now + std::max<int64_t>(watch.timing.timeout, 1));
  settle(id, watch, watch.attempt->start());
}

void ProbeEngine::ready(uint64_t tag, uint32_t events) {
  auto const id = static_cast<uint32_t>(tag);
  auto const found = watches_.find(id);
  // An event of a socket that was closed earlier in this round: another attempt, or another hop, by now.
  if (found == watches_.end() || !found->second.attempt) return;
  Watch& watch = found->second;
  if (tag != tag_of(id, watch.attempt->connection())) return;
  settle(id, watch, watch.attempt->advance((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0));
}

void ProbeEngine::settle(uint32_t id, Watch& watch, std::optional<ProbeAnswer> answer) {
  if (answer)
    answered(id, watch, *answer);
  else
    observe(id, watch);
}

// Keeps epoll's view of the attempt's socket up to date.
void ProbeEngine::observe(uint32_t id, Watch& watch) {
  const Attempt& attempt = *watch.attempt;
  bool const writing = attempt.wants_to_write();
  bool const known = watch.watched == attempt.connection();
  if (known && writing == watch.writing) return;
  epoll_event event = {};
  event.events = EPOLLIN | (writing ? EPOLLOUT : 0u);
  event.data.u64 = tag_of(id, attempt.connection());
  if (epoll_ctl(epoll_.get(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, attempt.fd(), &event) != 0) {
    answered(id, watch, {ProbeOutcome::kFailure, "the agent cannot watch another socket"});
    return;
  }
  watch.watched = attempt.connection();
  watch.writing = writing;
}

// May end the watch: nobody may use it afterwards.
void ProbeEngine::answered(uint32_t id, Watch& watch, const ProbeAnswer& answer) {
  watch.attempt.reset();
  bool const once = watch.timing.period <= 0;
  if (once || answer.outcome == ProbeOutcome::kHandover) {
    due_.erase({watch.due, id});
    watches_.erase(id);
    report_(id, answer);
    return;
  }
  int64_t next = watch.started + watch.timing.period;
  if (!watch.asked) next += jitter(watch.timing.period / 4);
  watch.asked = true;
  schedule(id, watch, std::max(next, now_ms()));
  bool const ok = answer.outcome == ProbeOutcome::kSuccess;
  if (watch.thresholds.count(ok))
    report_(id, answer);
  else if (!ok)
    report_(id, {ProbeOutcome::kUnhealthy, answer.message});
}

}  // namespace edgepod
