// DIR/sandbox.json: what the agent wants the pod's sandbox to be.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/cgroup/resources.h"
#include "lib/result.h"

namespace edgepod {

enum class PidNamespace { Container, Pod, Host };

struct SandboxConfig {
  std::string uid, hostname;
  std::string cgroup;  // of the pod, e.g. "edgepod/pod<uid>"
  bool own_network = true;
  bool own_ipc = true;
  bool own_users = false;
  PidNamespace pid = PidNamespace::Container;
  uint32_t first_user = 0;  // host's id of the pod's root; 0: the host's users
  Resources resources;
  int oom_score_adj = -998;
  std::vector<std::pair<std::string, std::string>> sysctls;
};

inline constexpr size_t kMaxSandboxJson = 1 << 20;

// The namespaces the pod gets of its own (CLONE_NEW*).
uint64_t namespace_flags(const SandboxConfig& config);

// Errors: "parse-json", and "sandbox-config" with the field's path.
Result<SandboxConfig> parse_sandbox_config(std::string_view json);

}  // namespace edgepod
