#include "runner/shim/sandbox_config.h"

#include <sched.h>

#include <optional>

#include "lib/json.h"
#include "lib/user_namespace.h"
#include "runner/shim/sysctl.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "sandbox-config";

void read_namespaces(JsonReader& namespaces, SandboxConfig& config) {
  auto own = [&](const char* name, bool& out) {
    std::string value = "pod";
    namespaces.text(name, value);
    if (value != "pod" && value != "host") namespaces.refuse_field(name, "must be pod or host");
    out = value == "pod";
  };
  own("network", config.own_network);
  own("ipc", config.own_ipc);
  std::string pid = "container";
  namespaces.text("pid", pid);
  if (pid == "container") {
    config.pid = PidNamespace::Container;
  } else if (pid == "pod") {
    config.pid = PidNamespace::Pod;
  } else if (pid == "host") {
    config.pid = PidNamespace::Host;
  } else {
    namespaces.refuse_field("pid", "must be container, pod or host");
  }
  std::string user = "host";
  namespaces.text("user", user);
  if (user != "pod" && user != "host") namespaces.refuse_field("user", "must be pod or host");
  config.own_users = user == "pod";
}

// What sethostname(2) takes and no shell or resolver stumbles over: RFC 1123.
bool valid_hostname(std::string_view name) {
  if (name.size() > 64) return false;
  for (char c : name) {
    bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!fine) return false;
  }
  return true;
}

void read_fields(JsonReader& root, SandboxConfig& config) {
  int64_t version = 0;
  root.integer("version", version, 1, 1, Need::Required);
  root.text("uid", config.uid, Need::Required, 128);
  root.text("hostname", config.hostname, Need::Optional, 64);
  if (!root.failed() && !valid_hostname(config.hostname)) root.refuse_field("hostname", "is not a host name");
  root.text("cgroup", config.cgroup, Need::Required, 512);
  root.object("namespaces", [&](JsonReader& namespaces) { read_namespaces(namespaces, config); });
  int64_t first = 0;
  root.integer("firstUser", first, kUserRange, INT32_MAX - int64_t{kUserRange});
  config.first_user = static_cast<uint32_t>(first);
  if (!root.failed() && config.own_users != (first > 0))
    root.refuse_field("firstUser", "goes with namespaces.user \"pod\"");
  int64_t adjustment = config.oom_score_adj;
  root.integer("oomScoreAdj", adjustment, -1000, 1000);
  config.oom_score_adj = static_cast<int>(adjustment);
  root.text_map("sysctls", 256, [&](std::string_view name, std::string_view value) {
    config.sysctls.emplace_back(name, value);
  });
}

}  // namespace

uint64_t namespace_flags(const SandboxConfig& config) {
  uint64_t flags = 0;
  // The others are made in it, and so belong to it.
  if (config.own_users) flags |= CLONE_NEWUSER;
  if (config.own_network) flags |= CLONE_NEWNET;
  if (config.own_ipc) flags |= CLONE_NEWIPC;
  if (!config.hostname.empty()) flags |= CLONE_NEWUTS;
  if (config.pid == PidNamespace::Pod) flags |= CLONE_NEWPID;
  return flags;
}

Result<SandboxConfig> parse_sandbox_config(std::string_view json) {
  auto document = parse_json(json, kMaxSandboxJson);
  if (!document) return std::move(document.error());
  SandboxConfig config;
  JsonReader root(*document, kStep);
  read_fields(root, config);
  const JsonValue* resources = root.raw_object("resources");
  EDGEPOD_TRY(root.status());
  if (resources != nullptr) {
    auto parsed = parse_resources(*resources);
    if (!parsed) return std::move(parsed.error());
    config.resources = std::move(*parsed);
  }
  for (const auto& [name, value] : config.sysctls) {
    EDGEPOD_TRY(check_sysctl(name, value, static_cast<int>(namespace_flags(config))));
  }
  return config;
}

}  // namespace edgepod
