// One container of the pod: its processes, its output and its end.
//   Starting --execve--> Running --init exits--> Draining --pipes empty or time up--> Ended
//            --anything fails, or its time is up--> Failed
// In Draining everything left in its cgroup has been killed and what it wrote last is being logged, so that
// an exit is never reported before its log lines are in the file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "lib/cgroup/cgroup.h"
#include "lib/container.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spec.h"
#include "runner/shim/exit_status.h"
#include "runner/shim/messages.h"
#include "runner/shim/output.h"
#include "runner/shim/pod_context.h"

namespace edgepod {

class Container final : public Watcher {
 public:
  enum class State { Starting, Running, Draining, Ended, Failed };

  // Makes the cgroup (limits first), opens the log and begins to start the process; others can be started
  // meanwhile. On error, and when Failed, nothing is left: no cgroup, no descriptor, no log file that was not
  // there before.
  // `pid_target`: a running container whose PID namespace it joins, or null.
  static Result<std::unique_ptr<Container>> start(PodContext& pod, const StartRequest& request,
                                                  const Container* pid_target);
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  const std::string& name() const { return name_; }
  uint32_t attempt() const { return attempt_; }
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  const Cgroup& cgroup() const { return *cgroup_; }
  State state() const { return state_; }
  const ExitStatus& exit() const { return exit_; }
  // Why it Failed.
  const Error& start_error() const { return start_error_; }
  ContainerView view() const;
  // Limits this kernel could not apply.
  const CgroupNotes& notes() const { return notes_; }
  size_t labels_size() const { return labels_.size(); }

  // The container's config.json, read again: kept in memory it would cost more than the shim itself.
  Result<Spec> load_spec() const;

  // The start has come out: its verdict is readable, or its process has ended.
  void finish_start();

  // Sends `signal` to the init process, once per life and not before it runs; SIGKILLs the whole container
  // `grace_ms` from now. A further call can only bring the end nearer. 0 kills at once. What is killed while
  // it starts has Failed.
  void stop(int signal, int64_t grace_ms, int64_t now_ms);
  void kill();
  Result<Ok> send_signal(int signal) const;

  // The init process ended and has been reaped.
  void on_init_exit(const siginfo_t& info, int64_t now_ms);
  void on_ready(int fd, uint32_t events) override;

  // When tick() wants to be called, in monotonic milliseconds; INT64_MAX: not at all.
  int64_t deadline() const { return deadline_ms_; }
  void tick(int64_t now_ms);

  // True once after each time the OOM killer struck.
  bool take_oom();

  Result<Ok> set_limits(const Resources& resources) const { return cgroup_->set(resources); }
  // Only for ended containers. What outlived the kill at its end (it was uninterruptible) is killed again.
  Result<Ok> remove_cgroup() const;

 private:
  explicit Container(PodContext& pod) : pod_(pod), output_(pod) {}
  Result<Ok> prepare(const StartRequest& request, const Spec& spec);
  Result<Ok> spawn(const Spec& spec, const Container* pid_target);
  Result<Ok> begin_running();
  void abort_start(int err, const char* why);
  int signal_init(int signal) const;
  void watch_oom();
  void undo();
  void drain();
  void finish();

  PodContext& pod_;
  std::string name_, labels_;
  uint32_t attempt_ = 0;
  State state_ = State::Starting;
  StartingContainer starting_;
  Error start_error_;
  pid_t pid_ = -1;
  UniqueFd pidfd_, bundle_;
  std::unique_ptr<Cgroup> cgroup_;
  CgroupNotes notes_;
  Output output_;
  UniqueFd input_;  // keeps standard input open, where it is to stay so
  int oom_fd_ = -1;
  uint64_t oom_kills_ = 0;
  bool oom_seen_ = false;
  int stop_signal_ = 0;
  bool aborted_ = false;  // while it was starting: the reason is start_error_
  int64_t stop_at_ms_ = INT64_MAX;
  int64_t deadline_ms_ = INT64_MAX;
  ExitStatus exit_;
  ProcessUser user_;  // at the start
};

}  // namespace edgepod
