// The shim at work: containers, execs, the agent's requests and the kernel's signals, in one loop.
//
// Invariants: every child is in `members_`, `execs_` or the sandbox until it is reaped; an exit is in the
// journal and on disk before the agent can see it anywhere else, and stays on disk until it is acknowledged
// and its container removed; a handler never waits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"
#include "runner/shim/client.h"
#include "runner/shim/container.h"
#include "runner/shim/exec.h"
#include "runner/shim/journal.h"
#include "runner/shim/pod_context.h"
#include "runner/shim/protocol.h"

namespace edgepod {

class Pod final : public Watcher, public ClientHandler {
 public:
  explicit Pod(PodContext& context)
      : context_(context), client_(context.poller, journal_, *this, context.buffer) {}

  // `signals` is a signalfd of SIGCHLD and SIGTERM.
  Result<Ok> watch(UniqueFd listening, UniqueFd signals);

  // Serves until the pod has been shut down and nothing of it runs any more.
  void run();
  // After run(): tells the client that asked for the end how cleaning up went.
  void answer_shutdown(const Result<Ok>& outcome);

 private:
  using ContainerPtr = std::shared_ptr<Container>;
  enum class Phase { Serving, Stopping, Done };
  struct Asker {
    int64_t id;       // of the request
    uint64_t client;  // connection that asked
  };
  struct Member {
    ContainerPtr container;
    std::optional<Asker> asker;  // of the start, until it is answered
    bool published = false;      // its exit is in the journal

    bool starts() const { return container->state() == Container::State::Starting; }
  };
  struct PendingExec {
    std::unique_ptr<Exec> exec;
    uint64_t client;  // connection that asked
    bool abandoned = false;
  };

  // A request that has to wait for a start to come out. Until then no other is read.
  struct Held {
    int64_t id;
    RequestBody body;
    std::vector<UniqueFd> fds;
    uint64_t client;  // connection that asked
  };

  // Watcher and ClientHandler
  void on_ready(int fd, uint32_t events) override;
  void on_packet(std::string_view packet, std::vector<UniqueFd> fds) override;
  void on_bad_packet(const Error& error) override;

  // pod_requests.cc
  bool must_wait(const RequestBody& body) const;
  void serve(int64_t id, const RequestBody& body, std::vector<UniqueFd> fds);
  void serve_held();
  // One per method; the answer's text, or empty if it comes later or not at all.
  std::string handle(int64_t id, const HelloRequest& request);
  std::string handle(int64_t id, const StartRequest& request);
  std::string handle(int64_t id, const StopRequest& request);
  std::string handle(int64_t id, const KillRequest& request);
  std::string handle(int64_t id, const SignalRequest& request);
  std::string handle(int64_t id, const RemoveRequest& request);
  std::string handle(int64_t id, const ExecRequest& request);
  std::string handle(int64_t id, const KillExecRequest& request);
  std::string handle(int64_t id, const UpdateRequest& request);
  std::string handle(int64_t id, const AckRequest& request);
  std::string handle(int64_t id, const ShutdownRequest& request);
  static std::string start_answer(int64_t id, const Container& container);
  Result<Ok> check_start(const StartRequest& request);
  Result<Ok> remove_ended(const std::string& name);
  void remove_acknowledged_exits(uint64_t seq);
  ContainerPtr find(const std::string& name) const;
  size_t running() const;

  // pod.cc
  void accept_client();
  void reap();
  void on_child(const siginfo_t& info, int64_t now_ms);
  void on_infra_exit(const siginfo_t& info);
  void on_signals();
  void tick(int64_t now_ms);
  // Something other than logging was done: memory is given back when it has been quiet for a while.
  void release_later();
  int timeout(int64_t now_ms) const;
  void settle();
  void settle_starts();
  void settle_execs();
  void publish_exit(const Container& container);
  void begin_stopping(int64_t grace_ms);
  void finish_stopping();

  PodContext& context_;
  Journal journal_;
  Client client_;
  UniqueFd listening_, signals_;
  int64_t accept_again_ms_ = INT64_MAX;
  std::vector<Member> members_;
  std::vector<PendingExec> execs_;
  std::optional<Held> held_;
  std::vector<UniqueFd> passed_fds_;  // of the packet being handled
  int64_t next_exec_id_ = 1;
  Phase phase_ = Phase::Serving;
  bool lost_ = false;
  int64_t release_at_ms_ = INT64_MAX;  // when to call release_memory()
  std::optional<int64_t> shutdown_id_;
  uint64_t shutdown_client_ = 0;
};

}  // namespace edgepod
