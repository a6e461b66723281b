// The shim's protocol, reading side: one JSON object per SEQPACKET packet, at most 64 KiB.
//   {"id":7,"method":"stop","params":{"name":"web","signal":"SIGTERM","graceMs":30000}}
// Pure: bytes in, a typed request or an error out. Everything a client can say is checked here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/cgroup/resources.h"
#include "lib/log/log_file.h"
#include "lib/result.h"

namespace edgepod {

inline constexpr size_t kMaxMessage = 64 * 1024;
inline constexpr size_t kMaxLabels = 4 * 1024;      // JSON text of one container's labels
inline constexpr uint32_t kMaxCapture = 16 * 1024;  // kept output of a captured exec, per stream
inline constexpr int64_t kMaxDelayMs = 366LL * 24 * 3600 * 1000;

struct HelloRequest {};
struct StartRequest {
  std::string name;
  uint32_t attempt = 0;
  std::string bundle;  // relative to the pod's directory
  std::string log_path;
  LogLimits log_limits;
  std::string labels = "{}";  // a JSON object, stored and given back as it is
  std::string pid_target;     // running container whose PID namespace it joins; empty: one of its own
};
struct StopRequest {
  std::string name;
  int signal = 0;
  int64_t grace_ms = 0;
};
struct KillRequest {
  std::string name;
};
struct SignalRequest {
  std::string name;
  int signal = 0;
};
struct RemoveRequest {
  std::string name;
};
struct ExecRequest {
  std::string name;
  std::vector<std::string> args, env;
  std::string cwd;
  int64_t timeout_ms = 0;  // 0: none
  uint32_t max_output = kMaxCapture;
};
struct KillExecRequest {
  int64_t exec_id = 0;  // of an attached one
};
struct UpdateRequest {
  std::string name;  // empty: the pod's own cgroup
  Resources resources;
};
struct AckRequest {
  uint64_t seq = 0;
};
struct ShutdownRequest {};

using RequestBody =
    std::variant<HelloRequest, StartRequest, StopRequest, KillRequest, SignalRequest, RemoveRequest,
                 ExecRequest, KillExecRequest, UpdateRequest, AckRequest, ShutdownRequest>;

struct ParsedRequest {
  std::optional<int64_t> id;  // absent if not even that could be read: answered with "id":null
  Result<RequestBody> body;
};

ParsedRequest parse_request(std::string_view packet);

}  // namespace edgepod
