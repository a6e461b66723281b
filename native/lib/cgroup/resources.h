// What a cgroup may use: the part of OCI `linux.resources` the runner enforces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/json.h"
#include "lib/result.h"

namespace edgepod {

// One OCI device rule. Later rules override earlier ones. -1 for major or minor is "any".
struct DeviceRule {
  bool allow = false;
  char type = 'a';  // 'a' all, 'b' block, 'c' character
  int64_t major = -1;
  int64_t minor = -1;
  bool read = true;
  bool write = true;
  bool mknod = true;
};

// Absent means "leave as it is" (for a new cgroup: the kernel's default, unlimited).
struct Resources {
  std::optional<int64_t> memory_limit;        // bytes; -1 unlimited
  std::optional<int64_t> memory_reservation;  // bytes; -1 unlimited (v1) or none (v2)
  std::optional<int64_t> memory_swap;         // bytes of memory + swap together, as OCI counts; -1 unlimited
  std::optional<uint64_t> cpu_shares;         // 2..262144, v1 scale; mapped to cpu.weight on v2
  std::optional<int64_t> cpu_quota;           // microseconds per period; <= 0 unlimited
  std::optional<uint64_t> cpu_period;         // microseconds, 1000..1000000
  std::optional<int64_t> pids_limit;          // -1 unlimited; 0 is stored as 1
  std::vector<DeviceRule> devices;            // empty: inherit the parent's rules
  bool oom_group = false;                     // v2: an OOM kill takes the whole cgroup
  std::vector<std::pair<std::string, std::string>> unified;  // other v2 interface files, written last
};

// Reads OCI `linux.resources`. Members the runner does not enforce are ignored, those it does are EINVAL with
// their path when of a wrong type or range. `unified["memory.oom.group"] = "1"` sets oom_group. As everywhere
// in OCI, 0 for a memory value or cpu shares means "not set".
Result<Resources> parse_resources(const JsonValue& linux_resources);

}  // namespace edgepod
