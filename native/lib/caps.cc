#include "lib/caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace edgepod {
namespace {

constexpr const char* kStep = "capabilities";

uint64_t bit(int capability) { return uint64_t{1} << capability; }

Result<uint64_t> permitted_now() {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) < 0) return errno_error(kStep, "capget");
  return data[0].permitted | (uint64_t{data[1].permitted} << 32);
}

Result<Ok> capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {};
  for (int half = 0; half < 2; half++) {
    data[half].effective = static_cast<uint32_t>(effective >> (32 * half));
    data[half].permitted = static_cast<uint32_t>(permitted >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(inheritable >> (32 * half));
  }
  if (syscall(SYS_capset, &header, data) < 0) return errno_error(kStep, "capset");
  return Ok{};
}

}  // namespace

Result<Ok> drop_bounding(uint64_t bounding) {
  for (int capability = 0; capability < 64; capability++) {
    if (bounding & bit(capability)) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) break;  // beyond the last one this kernel has
    return errno_error(kStep, "bounding set");
  }
  return Ok{};
}

Result<Ok> set_capabilities(const CapabilitySets& sets) {
  auto held = permitted_now();
  if (!held) return std::move(held.error());
  const uint64_t permitted = sets.permitted & *held;
  const uint64_t ambient = sets.ambient & sets.inheritable & permitted;
  // Inheritable stays empty (CVE-2022-29162 and its family: with it, a file's inheritable capabilities would
  // come alive in the container), except for what an explicit ambient set needs to exist at all.
  EDGEPOD_TRY(capset(sets.effective & permitted, permitted, ambient));
  // ENOSYS/EINVAL: no ambient set before 4.3, so nothing to clear.
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
    return errno_error(kStep, "ambient set");
  for (int capability = 0; capability < 64; capability++)
    if ((ambient & bit(capability)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
      return errno_error(kStep, "ambient set");
  return Ok{};
}

}  // namespace edgepod
