#include "lib/cgroup/limits.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lib/fd.h"

namespace edgepod {

namespace {

// Where nothing can be swapped out, no limit on swap is missed. /proc/swaps has a line of headings.
bool machine_swaps() {
  UniqueFd file(open("/proc/swaps", O_RDONLY | O_CLOEXEC));
  char text[512];
  const ssize_t size = file ? read(file.get(), text, sizeof text) : -1;
  return size < 0 || std::count(text, text + size, '\n') > 1;
}

}  // namespace

int LimitDir::write(const char* file, std::string_view value) const {
  return write_cgroup_file(root_, path_ + "/" + file, value);
}

int LimitDir::read(const char* file, std::string& out) const {
  return read_cgroup_file(root_, path_ + "/" + file, out);
}

int64_t LimitDir::read_number(const char* file) const {
  std::string text;
  int64_t value = -1;
  if (read(file, text) != 0) return -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<Ok> LimitDir::check(int err, const char* file, std::string_view value) const {
  if (err == 0) return Ok{};
  bool directory_exists = faccessat(root_, path_.c_str(), F_OK, 0) == 0;
  // EOPNOTSUPP: swap accounting switched off at boot (memory.memsw.* exists all the same on older kernels).
  if ((err == ENOENT && directory_exists) || err == EOPNOTSUPP) {
    const bool pointless =
        std::string_view(file).starts_with("memory.memsw.") || std::string_view(file) == "memory.swap.max";
    if (notes_ && !(pointless && !machine_swaps()))
      notes_->push_back(std::string(file) + "=" + std::string(value) + " not applied: not in this kernel");
    return Ok{};
  }
  std::string detail = path_ + "/" + file + "=" + std::string(value);
  if (err == EBUSY) detail += ": more is in use than the new limit allows";
  return input_error("cgroup-limit", std::move(detail), err);
}

Result<Ok> set_pids(const LimitDir& dir, int64_t limit) {
  // 0 would forbid even the container's first process; every runtime stores it as 1.
  if (limit == 0) limit = 1;
  return dir.set("pids.max", limit < 0 ? std::string("max") : std::to_string(limit));
}

uint64_t cpu_weight_from_shares(uint64_t shares) {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  double l = std::log2(static_cast<double>(shares));
  double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
  return static_cast<uint64_t>(std::ceil(std::pow(10, exponent)));
}

}  // namespace edgepod
