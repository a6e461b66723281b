// Limits on the unified hierarchy.
#include "lib/cgroup/limits.h"

namespace edgepod {

namespace {

std::string or_max(int64_t value) { return value < 0 ? "max" : std::to_string(value); }

// OCI counts memory + swap, v2 counts swap alone.
Result<Ok> set_swap(const LimitDir& dir, const Resources& r) {
  int64_t total = *r.memory_swap;
  if (total < 0) return dir.set("memory.swap.max", "max");
  int64_t memory = r.memory_limit ? *r.memory_limit : dir.read_number("memory.max");
  if (memory < 0 || total < memory) {
    return input_error("cgroup-limit",
                       "memory.swap=" + std::to_string(total) + " needs a memory limit that is not above it");
  }
  return dir.set("memory.swap.max", std::to_string(total - memory));
}

Result<Ok> set_bandwidth(const LimitDir& dir, const Resources& r) {
  std::string value;
  if (r.cpu_quota) {
    value = *r.cpu_quota > 0 ? std::to_string(*r.cpu_quota) : "max";
  } else {
    std::string present;
    if (int err = dir.read("cpu.max", present)) return dir.check(err, "cpu.max", "(period)");
    value = present.substr(0, present.find(' '));
  }
  // Quota alone leaves the period as it is; both go in one write, so no order to get wrong.
  if (r.cpu_period) value += " " + std::to_string(*r.cpu_period);
  return dir.set("cpu.max", value);
}

}  // namespace

Result<Ok> v2_set_memory(const LimitDir& dir, const Resources& r) {
  // Swap before max: in the other order the kernel would, for a moment, push into swap what is to be limited.
  if (r.memory_swap) EDGEPOD_TRY(set_swap(dir, r));
  if (r.memory_limit) EDGEPOD_TRY(dir.set("memory.max", or_max(*r.memory_limit)));
  if (r.memory_reservation) {
    EDGEPOD_TRY(dir.set("memory.low", std::to_string(*r.memory_reservation < 0 ? 0 : *r.memory_reservation)));
  }
  if (r.oom_group) EDGEPOD_TRY(dir.set("memory.oom.group", "1"));
  return Ok{};
}

Result<Ok> v2_set_cpu(const LimitDir& dir, const Resources& r) {
  if (r.cpu_shares) {
    EDGEPOD_TRY(dir.set("cpu.weight", std::to_string(cpu_weight_from_shares(*r.cpu_shares))));
  }
  if (r.cpu_quota || r.cpu_period) return set_bandwidth(dir, r);
  return Ok{};
}

}  // namespace edgepod
