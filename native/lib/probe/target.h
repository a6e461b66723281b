// What a probe asks, as the agent hands it over: addresses are numeric, everything else is checked where it
// is used.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lib/result.h"

namespace edgepod {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

// An IPv4 or IPv6 address in digits, without a zone. Error step "probe-address".
Result<SocketAddress> numeric_address(const std::string& host, uint16_t port);

// "10.0.0.1:80" and "[fd00::1]:80".
std::string host_and_port(const std::string& host, uint16_t port);

struct TcpTarget {};

struct HttpTarget {
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string user_agent;
  bool any_status = false;  // whatever is answered is a success
};

struct GrpcTarget {
  std::string service;
  std::string user_agent;
};

struct ProbeTarget {
  std::string host;
  uint16_t port = 0;
  std::variant<TcpTarget, HttpTarget, GrpcTarget> kind;
};

// Milliseconds of the monotonic clock.
struct ProbeTiming {
  int64_t initial_delay = 0;
  int64_t period = 10000;  // 0: asked once
  int64_t timeout = 1000;
  uint32_t success_threshold = 1;
  uint32_t failure_threshold = 3;
};

enum class ProbeOutcome {
  kSuccess,
  kFailure,
  kUnhealthy,  // a failure that makes no verdict
  kHandover,   // cannot be asked here (a redirect to https): the caller has to ask in another way
};

struct ProbeAnswer {
  ProbeOutcome outcome = ProbeOutcome::kFailure;
  std::string message;  // printable ASCII, whatever the server sent
};

}  // namespace edgepod
