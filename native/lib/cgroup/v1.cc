// Limits on cgroup v1 hierarchies.
#include "lib/cgroup/limits.h"

namespace edgepod {

namespace {

constexpr const char* kLimit = "memory.limit_in_bytes";
constexpr const char* kSwap = "memory.memsw.limit_in_bytes";

// The kernel keeps limit <= memsw at every moment: the write that would break it gives EINVAL. When raising,
// memsw has to go first, when lowering, the limit; trying one order and then the other covers both without
// reading (and survives a concurrent change).
Result<Ok> set_both(const LimitDir& dir, const std::string& limit, const std::string& swap) {
  int err = dir.write(kLimit, limit);
  if (err != EINVAL) {
    EDGEPOD_TRY(dir.check(err, kLimit, limit));
    return dir.set(kSwap, swap);
  }
  EDGEPOD_TRY(dir.set(kSwap, swap));
  return dir.set(kLimit, limit);
}

// Only the limit is given. If it is above the present memsw limit, that follows it: raising memory must
// not fail, and must not grant swap that was not granted before.
Result<Ok> set_limit(const LimitDir& dir, const std::string& limit) {
  int err = dir.write(kLimit, limit);
  if (err == EINVAL) return set_both(dir, limit, limit);
  return dir.check(err, kLimit, limit);
}

}  // namespace

Result<Ok> v1_set_memory(const LimitDir& dir, const Resources& r) {
  if (r.memory_limit && r.memory_swap) {
    EDGEPOD_TRY(set_both(dir, std::to_string(*r.memory_limit), std::to_string(*r.memory_swap)));
  } else if (r.memory_limit) {
    EDGEPOD_TRY(set_limit(dir, std::to_string(*r.memory_limit)));
  } else if (r.memory_swap) {
    EDGEPOD_TRY(dir.set(kSwap, std::to_string(*r.memory_swap)));
  }
  if (r.memory_reservation) {
    EDGEPOD_TRY(dir.set("memory.soft_limit_in_bytes", std::to_string(*r.memory_reservation)));
  }
  return Ok{};
}

Result<Ok> v1_set_cpu(const LimitDir& dir, const Resources& r) {
  if (r.cpu_shares) EDGEPOD_TRY(dir.set("cpu.shares", std::to_string(*r.cpu_shares)));
  std::string quota = r.cpu_quota ? std::to_string(*r.cpu_quota > 0 ? *r.cpu_quota : -1) : "";
  std::string period = r.cpu_period ? std::to_string(*r.cpu_period) : "";
  if (!period.empty()) {
    int err = dir.write("cpu.cfs_period_us", period);
    // A shorter period with the old quota may exceed the parent's share (EINVAL): the quota first, then.
    if (err == EINVAL && !quota.empty()) {
      EDGEPOD_TRY(dir.set("cpu.cfs_quota_us", quota));
      return dir.set("cpu.cfs_period_us", period);
    }
    EDGEPOD_TRY(dir.check(err, "cpu.cfs_period_us", period));
  }
  if (!quota.empty()) EDGEPOD_TRY(dir.set("cpu.cfs_quota_us", quota));
  return Ok{};
}

}  // namespace edgepod
