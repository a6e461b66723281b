// The methods of the shim's protocol.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runner/shim/exit_file.h"
#include "runner/shim/messages.h"
#include "runner/shim/notes.h"
#include "runner/shim/pod.h"

namespace edgepod {
namespace {

constexpr int64_t kProtocolVersion = 1;
constexpr size_t kMaxContainers = 64;
constexpr size_t kMaxExecs = 64;
// hello describes every container in one packet: labels, and per container what surrounds them.
constexpr size_t kHelloBudget = kMaxMessage - 2048;
constexpr size_t kHelloPerContainer = 896;

std::string answer(int64_t id, const Result<Ok>& result) {
  return result ? empty_answer(id) : error_message(id, result.error());
}

Error not_found(const char* step, const std::string& name) {
  return input_error(step, "no container " + name, ENOENT);
}

}  // namespace

void Pod::on_packet(std::string_view packet, std::vector<UniqueFd> fds) {
  ParsedRequest request = parse_request(packet);
  if (!request.body) return client_.send(error_message(request.id, request.body.error()));
  release_later();
  if (must_wait(*request.body)) {
    held_.emplace(Held{*request.id, std::move(*request.body), std::move(fds), client_.generation()});
    return client_.hold(true);
  }
  serve(*request.id, *request.body, std::move(fds));
}

void Pod::serve(int64_t id, const RequestBody& body, std::vector<UniqueFd> fds) {
  passed_fds_ = std::move(fds);
  std::string reply = std::visit([&](const auto& request) { return handle(id, request); }, body);
  passed_fds_.clear();
  if (!reply.empty()) client_.send(std::move(reply));
}

// Starts go on side by side, but for one that joins another; what comes after one finds the pod, or that
// container, as it is afterwards. Only what ends a container need not wait for its start.
bool Pod::must_wait(const RequestBody& body) const {
  if (std::holds_alternative<HelloRequest>(body))
    return std::any_of(members_.begin(), members_.end(),
                       [](const Member& member) { return member.starts(); });
  const std::string* name = nullptr;
  if (auto* start = std::get_if<StartRequest>(&body)) name = &start->pid_target;
  if (auto* signal = std::get_if<SignalRequest>(&body)) name = &signal->name;
  if (auto* remove = std::get_if<RemoveRequest>(&body)) name = &remove->name;
  if (auto* exec = std::get_if<ExecRequest>(&body)) name = &exec->name;
  if (auto* update = std::get_if<UpdateRequest>(&body)) name = &update->name;
  if (name == nullptr) return false;
  return std::any_of(members_.begin(), members_.end(), [&](const Member& member) {
    return member.starts() && member.container->name() == *name;
  });
}

void Pod::serve_held() {
  if (!held_) return;
  const bool asker_gone = held_->client != client_.generation() || !client_.connected();
  if (!asker_gone && must_wait(held_->body)) return;
  Held held = std::move(*held_);
  held_.reset();
  if (asker_gone) return;
  client_.hold(false);
  serve(held.id, held.body, std::move(held.fds));
}

void Pod::on_bad_packet(const Error& error) { client_.send(error_message(std::nullopt, error)); }

Pod::ContainerPtr Pod::find(const std::string& name) const {
  for (const Member& member : members_) {
    if (member.container->name() == name) return member.container;
  }
  return nullptr;
}

std::string Pod::handle(int64_t id, const HelloRequest&) {
  JsonText json;
  json.number("id", id)
      .begin("result")
      .number("protocol", kProtocolVersion)
      .number("pid", getpid())
      .text("version", EDGEPOD_VERSION);
  json.begin("infra").number("pid", context_.sandbox.pid).time("startedAt", context_.sandbox.started_at);
  put_notes(json, context_.notes);
  json.end();
  json.begin_list("containers");
  for (const Member& member : members_) {
    json.begin_item();
    put_container(json, member.container->view());
    json.end();
  }
  json.end_list().number("lastSeq", static_cast<int64_t>(journal_.last_seq()));
  client_.begin_events();
  return json.end().finish();
}

Result<Ok> Pod::check_start(const StartRequest& request) {
  if (phase_ != Phase::Serving) return input_error("start", "the pod is being shut down", ESHUTDOWN);
  if (lost_) return input_error("start", "the sandbox is lost: its infra process died", ENOTCONN);
  if (ContainerPtr present = find(request.name)) {
    if (present->state() != Container::State::Ended)
      return input_error("start", request.name + " is running", EEXIST);
    // A new attempt takes the place of the ended one.
    EDGEPOD_TRY(remove_ended(request.name));
  }
  if (members_.size() >= kMaxContainers) return input_error("start", "64 containers in this pod", ENOSPC);
  size_t described = request.labels.size() + kHelloPerContainer;
  for (const Member& member : members_) described += member.container->labels_size() + kHelloPerContainer;
  if (described > kHelloBudget) return input_error("start", "labels of this pod are too large", E2BIG);
  if (!journal_.has_room(running() + 1))
    return input_error("start", "1024 exits are not acknowledged", EAGAIN);
  return Ok{};
}

std::string Pod::handle(int64_t id, const StartRequest& request) {
  auto allowed = check_start(request);
  if (!allowed) return error_message(id, allowed.error());
  ContainerPtr pid_target;
  if (!request.pid_target.empty()) {
    pid_target = find(request.pid_target);
    if (!pid_target) return error_message(id, not_found("pid-target", request.pid_target));
    // One that is being started was waited for; a number that has been reaped may be somebody else's.
    if (pid_target->state() != Container::State::Running)
      return error_message(id, input_error("pid-target", request.pid_target + " does not run", ESRCH));
  }
  auto container = Container::start(context_, request, pid_target.get());
  if (!container) return error_message(id, container.error());
  members_.push_back({ContainerPtr(std::move(*container)), Asker{id, client_.generation()}});
  return {};
}

std::string Pod::start_answer(int64_t id, const Container& container) {
  if (container.state() == Container::State::Failed) return error_message(id, container.start_error());
  ContainerView view = container.view();
  JsonText json;
  json.number("id", id).begin("result").number("pid", view.pid).time("startedAt", view.started_at);
  put_user(json, *view.user);
  put_notes(json, container.notes());
  return json.end().finish();
}

std::string Pod::handle(int64_t id, const StopRequest& request) {
  // Unknown or ended is what the caller wants to reach.
  if (auto container = find(request.name)) container->stop(request.signal, request.grace_ms, monotonic_ms());
  return empty_answer(id);
}

std::string Pod::handle(int64_t id, const KillRequest& request) {
  if (auto container = find(request.name)) container->kill();
  return empty_answer(id);
}

std::string Pod::handle(int64_t id, const SignalRequest& request) {
  auto container = find(request.name);
  if (!container) return error_message(id, not_found("signal", request.name));
  return answer(id, container->send_signal(request.signal));
}

Result<Ok> Pod::remove_ended(const std::string& name) {
  auto member = std::find_if(members_.begin(), members_.end(),
                             [&](const Member& candidate) { return candidate.container->name() == name; });
  if (member == members_.end()) return Ok{};
  if (!member->published) return input_error("remove", name + " has not ended", EBUSY);
  EDGEPOD_TRY(member->container->remove_cgroup());
  if (!journal_.holds_exit(name, member->container->attempt()))
    remove_exit_file(context_.exits_dir.get(), name, member->container->attempt());
  members_.erase(member);
  return Ok{};
}

std::string Pod::handle(int64_t id, const RemoveRequest& request) {
  return answer(id, remove_ended(request.name));
}

std::string Pod::handle(int64_t id, const ExecRequest& request) {
  auto container = find(request.name);
  if (!container) return error_message(id, not_found("exec", request.name));
  if (container->state() != Container::State::Running)
    return error_message(id, input_error("exec", request.name + " has ended", ESRCH));
  if (!passed_fds_.empty() && passed_fds_.size() != 3)
    return error_message(id, input_error("exec", "needs no descriptor, or stdin, stdout and stderr"));
  if (execs_.size() >= kMaxExecs)
    return error_message(id, input_error("exec", "64 execs are running", EAGAIN));
  auto exec = Exec::start(context_, container, request, std::move(passed_fds_), next_exec_id_, id);
  if (!exec) return error_message(id, exec.error());
  next_exec_id_++;
  execs_.push_back({std::move(*exec), client_.generation()});
  return {};
}

std::string Pod::handle(int64_t id, const KillExecRequest& request) {
  // Unknown or ended is what the caller wants to reach.
  for (PendingExec& pending : execs_) {
    if (pending.exec->attached() && pending.exec->exec_id() == request.exec_id) pending.exec->kill();
  }
  return empty_answer(id);
}

std::string Pod::handle(int64_t id, const UpdateRequest& request) {
  if (request.name.empty()) {
    auto pod = Cgroup::open(context_.cgroup_path);
    return pod ? answer(id, pod->set(request.resources)) : error_message(id, pod.error());
  }
  auto container = find(request.name);
  if (!container) return error_message(id, not_found("update", request.name));
  return answer(id, container->set_limits(request.resources));
}

std::string Pod::handle(int64_t id, const AckRequest& request) {
  if (request.seq > journal_.last_seq())
    return error_message(id, input_error("ack", "params.seq: no such event yet", ERANGE));
  remove_acknowledged_exits(request.seq);
  journal_.acknowledge(request.seq);
  return empty_answer(id);
}

// Those whose container is removed already, or runs again as a later attempt.
void Pod::remove_acknowledged_exits(uint64_t seq) {
  for (const Event* event = journal_.after(0); event != nullptr && event->seq <= seq;
       event = journal_.after(event->seq)) {
    if (event->type != EventType::Exit) continue;
    ContainerPtr present = find(event->container);
    if (!present || present->attempt() != event->attempt)
      remove_exit_file(context_.exits_dir.get(), event->container, event->attempt);
  }
}

std::string Pod::handle(int64_t id, const ShutdownRequest&) {
  shutdown_id_ = id;
  shutdown_client_ = client_.generation();
  note("shutdown requested");
  begin_stopping(0);
  return {};
}

void Pod::answer_shutdown(const Result<Ok>& outcome) {
  if (!shutdown_id_ || client_.generation() != shutdown_client_) return;
  client_.send(answer(*shutdown_id_, outcome));
  client_.flush();
}

}  // namespace edgepod
