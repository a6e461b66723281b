// The shim's pure parts: requests, answers, journal, names, sysctls, sandbox configuration.
#include <sched.h>

#include <csignal>
#include <string>

#include "check.h"
#include "runner/shim/base64.h"
#include "runner/shim/journal.h"
#include "runner/shim/messages.h"
#include "runner/shim/names.h"
#include "runner/shim/protocol.h"
#include "runner/shim/sandbox_config.h"
#include "runner/shim/signal_name.h"
#include "runner/shim/sysctl.h"

using namespace edgepod;

namespace {

template <typename T>
const T* parsed(const ParsedRequest& request) {
  if (!CHECK_OK(request.body)) return nullptr;
  return std::get_if<T>(&request.body.value());
}

std::string message(const char* method, const std::string& params) {
  return std::string(R"({"id":7,"method":")") + method + R"(","params":)" + params + "}";
}

// The detail of the error `packet` is answered with; empty if it is accepted.
std::string refusal(const std::string& packet) {
  auto request = parse_request(packet);
  return request.body ? "" : request.body.error().detail;
}

void test_start() {
  auto request = parse_request(message(
      "start",
      R"({"name":"web","attempt":3,"bundle":"bundles/web-3","log":{"path":"/l/p/web/3.log","maxBytes":5,"maxFiles":2},"labels":{"a":"b"}})"));
  CHECK_EQ(request.id.value_or(0), 7);
  auto* start = parsed<StartRequest>(request);
  if (start == nullptr) return;
  CHECK_EQ(start->name, "web");
  CHECK_EQ(start->attempt, 3u);
  CHECK_EQ(start->bundle, "bundles/web-3");
  CHECK_EQ(start->log_path, "/l/p/web/3.log");
  CHECK_EQ(start->log_limits.max_bytes, 5u);
  CHECK_EQ(start->log_limits.max_files, 2u);
  CHECK_EQ(start->labels, R"({"a":"b"})");
  CHECK_EQ(start->pid_target, "");
  auto joining = parse_request(message(
      "start",
      R"({"name":"debug","attempt":0,"bundle":"bundles/d-0","log":{"path":"/l"},"pidTarget":"web"})"));
  if (auto* body = parsed<StartRequest>(joining)) CHECK_EQ(body->pid_target, "web");
}

void test_other_methods() {
  CHECK(parsed<HelloRequest>(parse_request(R"({"id":1,"method":"hello"})")) != nullptr);
  CHECK(parsed<ShutdownRequest>(parse_request(message("shutdown", "{}"))) != nullptr);
  auto stop = parse_request(message("stop", R"({"name":"a","signal":"SIGQUIT","graceMs":30000})"));
  if (auto* body = parsed<StopRequest>(stop)) {
    CHECK_EQ(body->signal, SIGQUIT);
    CHECK_EQ(body->grace_ms, 30000);
  }
  auto exec = parse_request(message("exec", R"({"name":"a","args":["x","y"],"env":["A=b"],"timeoutMs":5})"));
  if (auto* body = parsed<ExecRequest>(exec)) {
    CHECK_EQ(body->args.size(), 2u);
    CHECK_EQ(body->max_output, kMaxCapture);
  }
  auto kill = parse_request(message("killExec", R"({"execId":3})"));
  if (auto* body = parsed<KillExecRequest>(kill)) CHECK_EQ(body->exec_id, 3);
  auto update = parse_request(message("update", R"({"resources":{"memory":{"limit":1048576}}})"));
  if (auto* body = parsed<UpdateRequest>(update)) {
    CHECK_EQ(body->name, "");
    CHECK_EQ(body->resources.memory_limit.value_or(0), 1048576);
  }
  auto ack = parse_request(message("ack", R"({"seq":12})"));
  if (auto* body = parsed<AckRequest>(ack)) CHECK_EQ(body->seq, 12u);
}

void test_refusals() {
  for (const char* packet :
       {"", "x", "[]", "7", "null", "{}", R"({"id":1})", R"({"id":-1,"method":"hello"})",
        R"({"id":"1","method":"hello"})", R"({"id":1.5,"method":"hello"})", R"({"id":1,"method":7})",
        R"({"id":1,"method":"nope"})", R"({"id":1,"method":"hello","params":[]})",
        R"({"id":1,"method":"hello"} x)", "{\"id\":1,\"method\":\"he\xff\"}"})
    CHECK(!parse_request(packet).body);
  CHECK(!parse_request(std::string(kMaxMessage + 1, ' ')).body);
  CHECK(!parse_request(std::string(5000, '[')).body);
  CHECK(!parse_request(message("stop", R"({"name":"../x","graceMs":1})")).body);
  CHECK(!parse_request(message("stop", R"({"name":"a"})")).body);
  CHECK(!parse_request(message("stop", R"({"name":"a","graceMs":-1})")).body);
  CHECK(!parse_request(message("stop", R"({"name":"a","graceMs":1,"signal":"SIGNOPE"})")).body);
  CHECK(!parse_request(message("exec", R"({"name":"a"})")).body);
  CHECK(!parse_request(message("exec", R"({"name":"a","args":[]})")).body);
  CHECK(!parse_request(message("exec", R"({"name":"a","args":["x"],"env":["FOO"]})")).body);
  CHECK(!parse_request(message("exec", R"({"name":"a","args":["x\u0000y"]})")).body);
  CHECK(!parse_request(message("exec", R"({"name":"a","args":["x"],"cwd":"rel"})")).body);
  CHECK(!parse_request(message("exec", R"({"name":"a","args":["x"],"maxOutput":16385})")).body);
  CHECK(!parse_request(message("killExec", "{}")).body);
  CHECK(!parse_request(message("killExec", R"({"execId":"3"})")).body);
  CHECK(!parse_request(message("start", R"({"name":"a","attempt":0,"bundle":"bundles/a"})")).body);
  CHECK(
      !parse_request(message("start", R"({"name":"a","attempt":0,"bundle":"/x","log":{"path":"/l"}})")).body);
  CHECK(!parse_request(message("update", R"({"resources":{"memory":{"limit":"1"}}})")).body);
  CHECK(refusal(
            message("start",
                    R"({"name":"a","attempt":0,"bundle":"bundles/a","log":{"path":"/l"},"labels":{"x":1}})"))
            .find("labels") != std::string::npos);
  CHECK(
      refusal(
          message("start",
                  R"({"name":"a","attempt":0,"bundle":"bundles/a","log":{"path":"/l"},"pidTarget":"../x"})"))
          .find("pidTarget") != std::string::npos);
  const std::string big(kMaxLabels, 'x');
  CHECK(
      refusal(message("start",
                      R"({"name":"a","attempt":0,"bundle":"bundles/a","log":{"path":"/l"},"labels":{"x":")" +
                          big + "\"}}"))
          .find("4 KiB") != std::string::npos);
  // The id is known even when the rest is wrong.
  CHECK_EQ(parse_request(R"({"id":9,"method":"nope"})").id.value_or(0), 9);
}

void test_signals() {
  CHECK_EQ(signal_number("SIGTERM").value_or(0), SIGTERM);
  CHECK_EQ(signal_number("USR1").value_or(0), SIGUSR1);
  CHECK_EQ(signal_number("9").value_or(0), 9);
  CHECK_EQ(signal_number("SIGRTMIN").value_or(0), SIGRTMIN);
  CHECK_EQ(signal_number("SIGRTMIN+3").value_or(0), SIGRTMIN + 3);
  CHECK_EQ(signal_number("SIGRTMAX-1").value_or(0), SIGRTMAX - 1);
  for (const char* name : {"", "0", "-1", "65", "999999999999", "SIG", "sigterm", "SIGRTMIN-1", "SIGRTMIN+99",
                           "SIGRTMAX+1", "SIGRTMIN+"})
    CHECK(!signal_number(name));
}

void test_names() {
  CHECK(valid_container_name("a") && valid_container_name("web-1"));
  for (const char* name : {"", "-a", "a-", "A", "a.b", "a/b", "..", "a_b"})
    CHECK(!valid_container_name(name));
  CHECK(!valid_container_name(std::string(64, 'a')));
  CHECK(valid_bundle_path("bundles/web-0"));
  for (const char* path : {"", "bundles/", "bundles/..", "bundles/a/b", "/bundles/a", "x/a", "bundles/a\n"})
    CHECK(!valid_bundle_path(path));
}

Event exit_event(uint32_t attempt) {
  Event event;
  event.container = "web";
  event.attempt = attempt;
  return event;
}

void test_journal() {
  Journal journal;
  CHECK(journal.after(0) == nullptr);
  for (uint32_t i = 1; i <= 5; i++) CHECK_EQ(journal.add(exit_event(i)), i);
  CHECK_EQ(journal.after(0)->seq, 1u);
  CHECK_EQ(journal.after(3)->attempt, 4u);
  CHECK(journal.after(5) == nullptr);
  CHECK(journal.holds_exit("web", 3) && !journal.holds_exit("web", 6) && !journal.holds_exit("we", 3));
  journal.acknowledge(3);
  CHECK_EQ(journal.size(), 2u);
  CHECK_EQ(journal.after(0)->seq, 4u);
  journal.acknowledge(1);
  CHECK_EQ(journal.size(), 2u);
  journal.acknowledge(5);
  CHECK_EQ(journal.size(), 0u);
  CHECK_EQ(journal.add(exit_event(9)), 6u);
  CHECK_EQ(journal.last_seq(), 6u);
}

void test_journal_bound() {
  Journal journal;
  for (int i = 0; i < 3; i++) {
    Event oom;
    oom.type = EventType::Oom;
    journal.add(std::move(oom));
  }
  CHECK(journal.has_room(Journal::kCapacity));
  CHECK(!journal.has_room(Journal::kCapacity + 1));
  for (size_t i = 0; i < Journal::kCapacity; i++) journal.add(exit_event(1));
  CHECK_EQ(journal.size(), Journal::kCapacity);
  CHECK(!journal.has_room(1));
  CHECK(journal.after(0)->type == EventType::Exit);
  // An exit is not dropped even so.
  journal.add(exit_event(2));
  CHECK_EQ(journal.size(), Journal::kCapacity + 1);
}

void test_messages() {
  Event event = exit_event(2);
  event.seq = 5;
  event.exit = {.code = 137, .signal = 9, .oom_killed = true, .started_at = {0, 0}, .finished_at = {1, 5}};
  CHECK_EQ(
      event_message(event),
      R"({"event":{"seq":5,"type":"exit","container":"web","attempt":2,"exit":{"exitCode":137,"signal":9,)"
      R"("oomKilled":true,"startedAt":"1970-01-01T00:00:00.000000000Z","finishedAt":"1970-01-01T00:00:01.000000005Z"}}})");
  Event lost;
  lost.seq = 6;
  lost.type = EventType::Lost;
  lost.reason = "gone";
  CHECK_EQ(event_message(lost), R"({"event":{"seq":6,"type":"lost","reason":"gone"}})");
  CHECK_EQ(error_message(3, {"exec", ENOENT, "no \"such\"\xff\n"}),
           R"({"id":3,"error":{"step":"exec","errno":2,"code":"ENOENT","detail":"no \"such\"??"}})");
  CHECK_EQ(error_message(std::nullopt, {"request", 0, ""}),
           R"({"id":null,"error":{"step":"request","errno":0,"code":"","detail":""}})");
  CHECK_EQ(empty_answer(4), R"({"id":4,"result":{}})");
  CHECK_EQ(base64(""), "");
  CHECK_EQ(base64("f"), "Zg==");
  CHECK_EQ(base64("fo"), "Zm8=");
  CHECK_EQ(base64("foo"), "Zm9v");
  CHECK_EQ(base64("\xff\xfe\x00"), "//4=");
  JsonText none;
  put_notes(none, {});
  CHECK_EQ(none.finish(), "{}");
  JsonText some;
  put_notes(some, {"memory not limited", std::string("cpu\xff\n") + std::string(2000, 'x')});
  CHECK_EQ(some.finish(), R"({"notes":["memory not limited","cpu??)" + std::string(1019, 'x') + "\"]}");
}

void test_sysctls() {
  constexpr int kAll = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  CHECK_OK(check_sysctl("net.ipv4.ip_local_port_range", "1024\t65535", kAll));
  CHECK_OK(check_sysctl("net.ipv4.conf.eth0.forwarding", "1", kAll));
  CHECK_OK(check_sysctl("kernel.shm_rmid_forced", "1", kAll));
  CHECK_OK(check_sysctl("fs.mqueue.msg_max", "10", kAll));
  // CVE-2022-0811 and other ways out.
  CHECK(!check_sysctl("kernel.shm_rmid_forced", "1+kernel.core_pattern=|/x", kAll));
  CHECK(!check_sysctl("kernel.shm_rmid_forced", "1\n2", kAll));
  CHECK(!check_sysctl("kernel.shm_rmid_forced", "", kAll));
  CHECK(!check_sysctl("kernel.core_pattern", "x", kAll));
  CHECK(!check_sysctl("net/../kernel/core_pattern", "x", kAll));
  CHECK(!check_sysctl("net...kernel.core_pattern", "x", kAll));
  CHECK(!check_sysctl("net.ipv4.ip_forward", "1", CLONE_NEWIPC | CLONE_NEWUTS));
  CHECK(!check_sysctl("kernel.shmmax", "1", CLONE_NEWNET | CLONE_NEWUTS));
  CHECK_OK(check_sysctl("kernel.domainname", "example.org", kAll));
  CHECK(!check_sysctl("kernel.domainname", "example.org", CLONE_NEWNET | CLONE_NEWIPC));
  CHECK(!check_sysctl("kernel.hostname", "x", kAll));
  CHECK(!check_sysctl("vm.swappiness", "1", kAll));
}

void test_sandbox_config() {
  auto config = parse_sandbox_config(
      R"({"version":1,"uid":"u","hostname":"web","cgroup":"edgepod/podu","namespaces":{"network":"host","ipc":"pod","pid":"pod"},
          "resources":{"pids":{"limit":10}},"oomScoreAdj":-5,"sysctls":{"kernel.shmmni":"5"},"spec":{"any":[1]}})");
  if (CHECK_OK(config)) {
    CHECK(!config->own_network && config->own_ipc && config->pid == PidNamespace::Pod);
    CHECK_EQ(config->resources.pids_limit.value_or(0), 10);
    CHECK_EQ(config->oom_score_adj, -5);
  }
  for (
      const char* json :
      {"", "{}", R"({"version":2,"uid":"u","cgroup":"c"})", R"({"version":1,"uid":"u"})",
       R"({"version":1,"uid":"u","cgroup":"c","hostname":"a b"})",
       R"({"version":1,"uid":"u","cgroup":"c","namespaces":{"pid":"x"}})",
       R"({"version":1,"uid":"u","cgroup":"c","namespaces":{"network":"host"},"sysctls":{"net.core.somaxconn":"1"}})",
       R"({"version":1,"uid":"u","cgroup":"c","sysctls":{"kernel.domainname":"no-host-name-no-namespace"}})"})
    CHECK(!parse_sandbox_config(json));
}

}  // namespace

int main() {
  test_start();
  test_other_methods();
  test_refusals();
  test_signals();
  test_names();
  test_journal();
  test_journal_bound();
  test_messages();
  test_sysctls();
  test_sandbox_config();
  return check_report();
}
