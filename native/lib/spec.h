// The OCI runtime-spec configuration (config.json) as the runner uses it. Unknown optional fields are
// tolerated as the specification asks; a wrong type, an out-of-range number, or a security setting this
// runner cannot honour is refused with its JSON path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/json.h"
#include "lib/result.h"

namespace edgepod {

// Capability sets as bit masks (bit n = capability number n of linux/capability.h).
struct CapabilitySets {
  uint64_t bounding = 0, effective = 0, permitted = 0, inheritable = 0, ambient = 0;
};

struct SpecUser {
  uint32_t uid = 0, gid = 0;
  std::optional<uint32_t> umask;
  std::vector<uint32_t> additional_gids;
};

struct SpecRlimit {
  int resource;  // RLIMIT_*
  uint64_t soft, hard;
};

struct SpecProcess {
  std::vector<std::string> args, env;  // env: only KEY=VALUE entries
  std::string cwd = "/";
  SpecUser user;
  std::optional<CapabilitySets> capabilities;  // absent: no capability at all
  std::vector<SpecRlimit> rlimits;
  std::optional<int> oom_score_adj;
  bool no_new_privileges = false;
  bool terminal = false;
  std::string apparmor_profile;
};

struct SpecMount {
  std::string destination, type, source;
  std::vector<std::string> options;
};

struct SpecNamespace {
  int flag;          // CLONE_NEW*
  std::string path;  // empty: a new one
};

struct SpecDevice {
  std::string path;
  char type = 'c';  // c, b, p
  uint32_t major = 0, minor = 0;
  mode_t mode = 0666;
  uint32_t uid = 0, gid = 0;
};

struct Spec {
  SpecProcess process;
  std::string root_path;
  bool root_readonly = false;
  std::string hostname, domainname;
  std::vector<SpecMount> mounts;
  std::vector<SpecNamespace> namespaces;
  std::vector<std::string> masked_paths, readonly_paths;
  std::vector<std::pair<std::string, std::string>> sysctl, annotations;
  std::vector<SpecDevice> devices;
  std::string cgroups_path, rootfs_propagation;
  bool has_hooks = false;

  // Sections other parts interpret; null when absent. They live as long as `document`.
  const JsonValue* resources = nullptr;
  const JsonValue* seccomp = nullptr;
  JsonDocument document;

  const SpecNamespace* find_namespace(int flag) const;
  // The value of an annotation, or null.
  const std::string* annotation(std::string_view name) const;
};

// Parses config.json (at most 1 MiB). Errors: steps "parse-json" and "parse-spec", detail "<json path>
// <why>".
Result<Spec> parse_spec(std::string_view json);

// Annotations read by the runner.
inline constexpr std::string_view kAnnotationLowerDir =
    "io.edgepod.rootfs.lowerdir";  // JSON array, topmost first
inline constexpr std::string_view kAnnotationUpperDir = "io.edgepod.rootfs.upperdir";
inline constexpr std::string_view kAnnotationWorkDir = "io.edgepod.rootfs.workdir";
inline constexpr std::string_view kAnnotationUser =
    "io.edgepod.user";  // "name[:group]", looked up in the rootfs
// "Strict": what the image's /etc/group says of the user's further groups is not followed.
inline constexpr std::string_view kAnnotationGroupsPolicy = "io.edgepod.user.groups-policy";
// "true": a user that turns out to be root is refused (step "run-as-non-root").
inline constexpr std::string_view kAnnotationNonRoot = "io.edgepod.user.non-root";
// "open": standard input never ends, instead of being empty.
inline constexpr std::string_view kAnnotationStdin = "io.edgepod.stdin";

}  // namespace edgepod
