// Probes: the parsers, and the engine on real sockets. What a server may do wrong comes in pieces of one byte
// as well, since nobody promises where packets end.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <fstream>
#include <sstream>
#include <thread>

#include "check.h"
#include "lib/probe/engine.h"
#include "lib/probe/grpc_exchange.h"
#include "lib/probe/http_exchange.h"
#include "lib/probe/http_request.h"
#include "lib/probe/http_response.h"
#include "lib/probe/location.h"

using namespace edgepod;

namespace {

using State = HttpResponse::State;

State state_of(std::string_view bytes, bool end, size_t piece, int* status) {
  HttpResponse response;
  State state = State::kHead;
  for (size_t at = 0; at < bytes.size(); at += piece) state = response.receive(bytes.substr(at, piece));
  if (end) state = response.ended();
  *status = response.status();
  return state;
}

void check_response(std::string_view bytes, bool end, State state, int status) {
  for (size_t const piece : {bytes.size() + 1, size_t{1}, size_t{3}}) {
    int seen = 0;
    State const got = state_of(bytes, end, piece, &seen);
    CHECK(got == state);
    if (got != state)
      std::fprintf(stderr, "  for '%.60s' in pieces of %zu\n", std::string(bytes).c_str(), piece);
    CHECK_EQ(seen, status);
  }
}

void responses() {
  check_response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, State::kComplete, 200);
  check_response("HTTP/1.0 404 Not Found\n\nwords", true, State::kComplete, 404);
  check_response("HTTP/1.1 204\r\n\r\n", false, State::kComplete, 204);
  check_response("HTTP/1.1 200 OK\r\n\r\nopen end", false, State::kBody, 200);
  check_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", true, State::kBroken, 200);
  check_response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", false,
                 State::kComplete, 500);
  check_response(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: "
      "1\r\n\r\n",
      false, State::kComplete, 200);
  check_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false, State::kBroken, 200);
  check_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", false, State::kBroken,
                 200);
  check_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", false,
                 State::kBroken, 200);
  check_response("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false, State::kBroken,
                 200);
  check_response("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, State::kBroken, 200);
  check_response("HTTP/1.1 200 OK\r\nno colon\r\n", false, State::kBroken, 200);
  check_response("HTTP/2 200\r\n\r\n", false, State::kBroken, 0);
  check_response("SSH-2.0-OpenSSH_9.2\r\n", false, State::kBroken, 0);
  check_response("", true, State::kBroken, 0);
  check_response("HTTP/1.1 20", true, State::kBroken, 0);
  check_response("HTTP/1.1 200 OK\r\n\r\n" + std::string(20000, 'x'), false, State::kComplete, 200);
  check_response("HTTP/1.1 200 OK\r\nX: " + std::string(9000, 'x'), false, State::kBroken, 200);
  std::string many = "HTTP/1.1 200 OK\r\n";
  while (many.size() < 40000) many += "X-Header: value\r\n";
  check_response(many, false, State::kBroken, 200);
  std::string interim;
  for (int at = 0; at < 20; ++at) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  check_response(interim, false, State::kBroken, 102);
}

void check_location(std::string_view location, LocationKind kind, uint16_t port = 0,
                    std::string_view path = "") {
  Redirect redirect;
  LocationKind const got = resolve_location(location, "10.0.0.1", 8080, "/a/b?c", &redirect);
  CHECK(got == kind);
  if (got != kind) std::fprintf(stderr, "  for '%s'\n", std::string(location).c_str());
  if (kind != LocationKind::kSameHost || got != kind) return;
  CHECK_EQ(redirect.port, port);
  CHECK_EQ(redirect.path, std::string(path));
}

void locations() {
  using Kind = LocationKind;
  check_location("/x", Kind::kSameHost, 8080, "/x");
  check_location("x/y", Kind::kSameHost, 8080, "/a/x/y");
  check_location("../../../x/./z/..", Kind::kSameHost, 8080, "/x/");
  check_location("?q=1", Kind::kSameHost, 8080, "/a/b?q=1");
  check_location("http://10.0.0.1/x?y#z", Kind::kSameHost, 80, "/x?y");
  check_location("HTTP://10.0.0.1:81", Kind::kSameHost, 81, "/");
  check_location("//10.0.0.1:81?x", Kind::kSameHost, 81, "/?x");
  check_location("http://user@10.0.0.1:82/", Kind::kSameHost, 82, "/");
  check_location("http://10.0.0.1@evil/", Kind::kOtherHost);
  check_location("https://10.0.0.1/x", Kind::kHttps);
  check_location("https://other/x", Kind::kOtherHost);
  check_location("http://10.0.0.2/", Kind::kOtherHost);
  for (const char* bad : {"", "ftp://10.0.0.1/", "javascript:x", "http://10.0.0.1:99999/",
                          "http://10.0.0.1:x/", "http:///x", "http://[::1", "http://10.0.0.1:0/"})
    check_location(bad, Kind::kInvalid);
  check_location(std::string(5000, '/'), Kind::kInvalid);
}

void requests() {
  HttpTarget target{"/a b\xff#frag", {{"X-A", "1"}, {"content-length", "5"}, {"Accept", ""}}, "kube-probe/1"};
  auto request = http_request(target, target.path, "h:1");
  if (CHECK_OK(request))
    CHECK_EQ(*request, std::string("GET /a%20b%FF HTTP/1.1\r\nHost: h:1\r\nUser-Agent: kube-probe/1\r\n"
                                   "X-A: 1\r\nConnection: close\r\n\r\n"));
  for (const char* bad : {"a\nb", "a\rb", "\x01"}) {
    CHECK(!http_request({"/", {{"X", bad}}, "u"}, "/", "h"));
    CHECK(!http_request({"/", {}, "u"}, "/", bad));
  }
  for (const char* bad : {"", "a b", "a:b", "a\n"}) CHECK(!http_request({"/", {{bad, "x"}}, "u"}, "/", "h"));
  CHECK(!http_request({std::string(70000, 'x'), {}, "u"}, std::string(70000, 'x'), "h"));
}

std::string frame(char type, char flags, char stream, const std::string& payload) {
  std::string result = {
      0,     static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size()), type, flags, 0, 0, 0,
      stream};
  return result + payload;
}

ProbeStep grpc(const std::string& bytes, size_t piece, bool end) {
  auto exchange = GrpcExchange::create({"10.0.0.1", 1, GrpcTarget{"svc", "u"}});
  ProbeStep step;
  for (size_t at = 0; at < bytes.size() && !step.done(); at += piece)
    step = (*exchange)->receive(std::string_view(bytes).substr(at, piece));
  if (end && !step.done()) step = (*exchange)->ended();
  return step;
}

void health() {
  std::string const settings = frame(4, 0, 0, "");
  std::string const serving("\0\0\0\0\2\x08\1", 7);
  std::string const down("\0\0\0\0\2\x08\2", 7);
  struct Case {
    std::string bytes;
    bool ok;
  };
  std::string const padded = std::string("\2", 1) + serving + std::string(2, '\0');
  for (const Case& c :
       {Case{settings + frame(0, 0, 1, serving), true},
        Case{settings + frame(1, 4, 1, "hpack") + frame(0, 8, 1, padded), true},
        Case{settings + frame(6, 0, 0, "12345678") + frame(0, 0, 1, serving.substr(0, 3)) +
                 frame(0, 1, 1, serving.substr(3)),
             true},
        Case{settings + frame(0, 0, 1, down), false}, Case{settings + frame(0, 0, 3, serving), false},
        Case{settings + frame(1, 5, 1, "trailers only"), false},
        Case{settings + frame(0, 8, 1, "\xff"), false},
        Case{settings + frame(0, 0, 1, std::string("\0\0\0\0\3\x08\1\1", 8)), false},
        Case{settings + frame(3, 0, 1, "1234"), false}, Case{settings + frame(7, 0, 0, "12345678"), false},
        Case{settings + frame(6, 0, 0, "short"), false}, Case{frame(0, 0, 1, serving), false},
        Case{"HTTP/1.1 400 Bad Request\r\n\r\n", false}, Case{std::string(9, '\xff'), false},
        Case{"", false}})
    for (size_t const piece : {size_t{1}, size_t{4}, size_t{1000}}) {
      ProbeStep const step = grpc(c.bytes, piece, true);
      CHECK(step.answer && (step.answer->outcome == ProbeOutcome::kSuccess) == c.ok);
      if (step.answer && (step.answer->outcome == ProbeOutcome::kSuccess) != c.ok)
        std::fprintf(stderr, "  %s\n", step.answer->message.c_str());
    }
  std::string pings = settings;
  for (int at = 0; at < 10000; ++at) pings += frame(6, 0, 0, "12345678");
  CHECK(grpc(pings, 4096, false).done());  // bounded
}

void thresholds() {
  std::ifstream file("../test/fixtures/probe-thresholds.txt");
  int cases = 0;
  for (std::string text; std::getline(file, text);) {
    if (text.empty() || text[0] == '#') continue;
    std::istringstream line(text);
    uint32_t success = 0, failure = 0;
    std::string answers, verdicts, seen;
    line >> success >> failure >> answers >> verdicts;
    Thresholds counter(success, failure);
    for (char const answer : answers) seen += counter.count(answer == '+') ? answer : '.';
    CHECK_EQ(seen, verdicts);
    cases += 1;
  }
  CHECK(cases > 5);
}

// A server that sends one text to everyone and then closes, or keeps silent.
class Server {
 public:
  explicit Server(std::string text)
      : text_(std::move(text)), socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(listen(socket_.get(), 64) == 0);
    CHECK(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    stopping_ = true;
    shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }

 private:
  void serve() {
    std::vector<UniqueFd> silent;
    while (!stopping_) {
      UniqueFd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) continue;
      accepted_ += 1;
      if (text_.empty()) {
        silent.push_back(std::move(client));
        continue;
      }
      char request[4096];
      (void)!read(client.get(), request, sizeof request);
      (void)!::send(client.get(), text_.data(), text_.size(), MSG_NOSIGNAL);
    }
  }

  std::string text_;
  UniqueFd socket_;
  uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

struct Verdicts {
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::pair<uint32_t, ProbeAnswer>> all;
  size_t failures_of_4 = 0;

  void put(uint32_t id, const ProbeAnswer& answer) {
    std::lock_guard const lock(mutex);
    if (answer.outcome == ProbeOutcome::kUnhealthy)
      failures_of_4 += id == 4 ? 1 : 0;
    else
      all.emplace_back(id, answer);
    arrived.notify_all();
  }
  void wait_for(size_t count) {
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return all.size() >= count; });
  }
};

void engine() {
  Verdicts verdicts;
  auto created =
      ProbeEngine::create([&](uint32_t id, const ProbeAnswer& answer) { verdicts.put(id, answer); });
  if (!CHECK_OK(created)) return;
  ProbeEngine& probes = **created;
  std::thread thread([&] { probes.run(); });
  Server good("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  Server bad("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  Server silent("");
  auto http = [](uint16_t port) { return ProbeTarget{"127.0.0.1", port, HttpTarget{"/", {}, "u"}}; };
  ProbeTiming once;
  once.period = 0;
  once.timeout = 5000;
  once.failure_threshold = 1;
  probes.add(1, http(good.port()), once);
  probes.add(2, {"127.0.0.1", bad.port(), TcpTarget{}}, once);
  once.timeout = 20;
  probes.add(3, http(silent.port()), once);
  ProbeTiming often = {0, 2, 1000, 1, 3};
  probes.add(4, http(bad.port()), often);
  once.timeout = 5000;
  probes.add(5, {"127.0.0.1", bad.port(), HttpTarget{"/", {}, "u", true}}, once);
  verdicts.wait_for(5);
  for (const auto& [id, answer] : verdicts.all)
    CHECK_EQ(std::string(answer.outcome == ProbeOutcome::kSuccess ? "+" : "-"),
             std::string(id <= 2 || id == 5 ? "+" : "-"));
  // A thousand at once, half of them taken back while they are under way.
  for (uint32_t id = 100; id < 1100; ++id)
    probes.add(id, http(id % 2 == 0 ? good.port() : bad.port()), often);
  for (uint32_t id = 100; id < 600; ++id) probes.remove(id);
  auto count_of = [&](uint32_t from, uint32_t to) {
    size_t count = 0;
    for (const auto& [id, answer] : verdicts.all) count += id >= from && id < to ? 1 : 0;
    return count;
  };
  std::unique_lock lock(verdicts.mutex);
  verdicts.arrived.wait(lock, [&] { return count_of(600, 1100) == 500; });
  lock.unlock();
  probes.stop();
  thread.join();
  CHECK_EQ(count_of(4, 5), size_t{1});
  CHECK(verdicts.failures_of_4 >= 2);  // those before the verdict, and all after it
  CHECK(count_of(600, 1100) == 500);
}

}  // namespace

int main() {
  responses();
  locations();
  requests();
  health();
  thresholds();
  engine();
  return check_report();
}
