// Asks any number of probes on the calling thread: one epoll, non-blocking sockets, the monotonic clock.
// Answers are counted here; only verdicts and failures leave.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

#include "lib/probe/attempt.h"
#include "lib/probe/thresholds.h"

namespace edgepod {

class ProbeEngine {
 public:
  using Report = std::function<void(uint32_t id, const ProbeAnswer& verdict)>;

  // `report` is called on the thread that runs the engine.
  static Result<std::unique_ptr<ProbeEngine>> create(Report report);

  // From any thread. A timing without a period is asked once and forgotten. After remove() a report that is
  // under way may still come: the caller has to know its ids.
  void add(uint32_t id, ProbeTarget target, const ProbeTiming& timing);
  void remove(uint32_t id);
  void stop();

  // Until stop().
  void run();

 private:
  struct Watch {
    ProbeTarget target;
    ProbeTiming timing;
    Thresholds thresholds;
    std::unique_ptr<Attempt> attempt;  // while one is under way
    int64_t due = 0;                   // of the next attempt, or the end of this one's time
    int64_t started = 0;
    bool asked = false;
    uint32_t watched = 0;  // connection of the attempt that epoll knows, 0 for none
    bool writing = false;
  };
  struct Command {
    uint32_t id;
    std::optional<std::pair<ProbeTarget, ProbeTiming>> added;
  };

  ProbeEngine(UniqueFd epoll, UniqueFd wake, Report report);

  void post(Command command);
  void obey();
  void insert(uint32_t id, ProbeTarget target, const ProbeTiming& timing);
  void schedule(uint32_t id, Watch& watch, int64_t due);
  void run_due(int64_t now);
  void begin(uint32_t id, Watch& watch, int64_t now);
  void ready(uint64_t tag, uint32_t events);
  void settle(uint32_t id, Watch& watch, std::optional<ProbeAnswer> answer);
  void observe(uint32_t id, Watch& watch);
  void answered(uint32_t id, Watch& watch, const ProbeAnswer& answer);
  int64_t jitter(int64_t max);

  UniqueFd epoll_;
  UniqueFd wake_;
  Report report_;
  std::unordered_map<uint32_t, Watch> watches_;
  std::set<std::pair<int64_t, uint32_t>> due_;
  std::minstd_rand random_;
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace edgepod
