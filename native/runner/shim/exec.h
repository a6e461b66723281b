// One additional process in a container (a probe, a hook, `edgepod exec`).
// Captured: its output is kept up to a bound and answered at its end. Attached: it has the client's own
// descriptors; its start and its end are reported.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/container.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "runner/shim/container.h"
#include "runner/shim/exit_status.h"
#include "runner/shim/pod_context.h"
#include "runner/shim/protocol.h"

namespace edgepod {

class Exec final : public Watcher {
 public:
  // `fds`: none (captured) or exactly stdin, stdout, stderr (attached). Returns when there is a process,
  // which goes on to become the command by itself.
  static Result<std::unique_ptr<Exec>> start(PodContext& pod, std::shared_ptr<const Container> container,
                                             const ExecRequest& request, std::vector<UniqueFd> fds,
                                             int64_t exec_id, int64_t request_id);
  ~Exec();
  Exec(const Exec&) = delete;
  Exec& operator=(const Exec&) = delete;

  int64_t exec_id() const { return exec_id_; }
  pid_t pid() const { return pid_; }
  bool attached() const { return attached_; }
  const Container& container() const { return *container_; }
  bool done() const { return done_; }
  // True once, when an attached one has become its command.
  bool take_started();
  // The answer to the request of an attached one that has started.
  std::string started_message() const;
  // The answer (captured, or not started) or the execExit message (attached); once done.
  std::string result_message() const;

  // Kills the process and everything it started.
  void kill();
  void on_exit(const siginfo_t& info, int64_t now_ms);
  void on_ready(int fd, uint32_t events) override;
  int64_t deadline() const { return deadline_ms_; }
  void tick(int64_t now_ms);

 private:
  struct Capture {
    UniqueFd fd;
    std::string data;
  };

  Exec(PodContext& pod, std::shared_ptr<const Container> container)
      : pod_(pod), container_(std::move(container)) {}
  Result<Ok> spawn(const ExecRequest& request, const StdioFds& stdio);
  Result<Ok> spawn_captured(const ExecRequest& request);
  void finish_start();
  bool read_once(Capture& capture);
  void drain();
  void close(Capture& capture);
  void finish_if_drained();

  PodContext& pod_;
  // Shared: an exec may still be ending when its container is already removed.
  std::shared_ptr<const Container> container_;
  int64_t exec_id_ = 0, request_id_ = 0;
  StartingContainer starting_;
  std::optional<Error> start_error_;
  pid_t pid_ = -1;
  bool attached_ = false, tell_started_ = false;
  uint32_t max_output_ = 0;
  Capture capture_[2];
  bool exited_ = false, done_ = false, timed_out_ = false, truncated_ = false;
  int64_t timeout_at_ms_ = INT64_MAX;
  int64_t deadline_ms_ = INT64_MAX;
  ExitStatus exit_;
};

}  // namespace edgepod
