#include "lib/stats/cgroup_stats.h"

#include <fcntl.h>

#include <algorithm>
#include <cmath>

#include "lib/stats/figures.h"
#include "lib/stats/read_file.h"

namespace edgepod {

namespace {

// memory.stat is the longest file read here: about 1.5 KiB on v2, 3 KiB on v1.
constexpr size_t kBuffer = 8192;

// v1 writes "no limit" as the largest multiple of the page size below 2^63.
constexpr double kV1Unlimited = 9.2e18;

UniqueFd open_dir(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

UniqueFd open_group(const UniqueFd& hierarchy, const std::string& path) {
  if (!hierarchy) return UniqueFd();
  return UniqueFd(openat(hierarchy.get(), path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

CgroupStats::CgroupStats(const std::string& root) : root_(root) {
  unified_ = access((root + "/cgroup.controllers").c_str(), F_OK) == 0;
  if (unified_) {
    memory_ = open_dir(root);
    return;
  }
  memory_ = open_dir(root + "/memory");
  cpu_ = open_dir(root + "/cpu");
  cpuacct_ = open_dir(root + "/cpuacct");
  pids_ = open_dir(root + "/pids");
  pressure_ = open_dir(root + "/unified");
}

void CgroupStats::read(const std::string& path, double* out) const {
  std::fill(out, out + kCgroupFieldCount, kUnknown);
  unified_ ? read_v2(path, out) : read_v1(path, out);
}

void CgroupStats::read_v2(const std::string& path, double* out) const {
  char buffer[kBuffer];
  UniqueFd const group = open_group(memory_, path);
  if (!group) return;
  auto file = [&](const char* name) { return read_small(group.get(), name, buffer, sizeof buffer); };

  out[kMemoryCurrent] = parse_number(file("memory.current"));
  std::string_view text = file("memory.stat");
  out[kMemoryInactive] = number_after(text, "inactive_file");
  out[kMemoryAnon] = number_after(text, "anon");
  out[kMemoryPeak] = parse_number(file("memory.peak"));  // Linux 5.19
  out[kMemoryLimit] = parse_number(file("memory.max"));
  out[kOomKills] = number_after(file("memory.events"), "oom_kill");
  text = file("cpu.stat");
  out[kCpuUsage] = number_after(text, "usage_usec");
  out[kCpuThrottled] = number_after(text, "throttled_usec");
  out[kPids] = parse_number(file("pids.current"));
  text = file("memory.pressure");
  out[kMemorySome] = pressure_avg10(text, "some");
  out[kMemoryFull] = pressure_avg10(text, "full");
}

void CgroupStats::read_v1(const std::string& path, double* out) const {
  char buffer[kBuffer];
  if (UniqueFd const group = open_group(memory_, path)) {
    auto file = [&](const char* name) { return read_small(group.get(), name, buffer, sizeof buffer); };
    out[kMemoryCurrent] = parse_number(file("memory.usage_in_bytes"));
    std::string_view const text = file("memory.stat");
    out[kMemoryInactive] = number_after(text, "total_inactive_file");
    out[kMemoryAnon] = number_after(text, "total_rss");
    out[kMemoryPeak] = parse_number(file("memory.max_usage_in_bytes"));
    double const limit = parse_number(file("memory.limit_in_bytes"));
    out[kMemoryLimit] = limit > kV1Unlimited ? INFINITY : limit;
    out[kOomKills] = number_after(file("memory.oom_control"), "oom_kill");
  }
  // One file each: opening the group's directory first would cost a third call per file.
  auto file = [&](const UniqueFd& hierarchy, const char* name) {
    return hierarchy ? read_small(hierarchy.get(), (path + name).c_str(), buffer, sizeof buffer)
                     : std::string_view();
  };
  out[kCpuUsage] = std::floor(parse_number(file(cpuacct_, "/cpuacct.usage")) / 1000);
  out[kCpuThrottled] = std::floor(number_after(file(cpu_, "/cpu.stat"), "throttled_time") / 1000);
  out[kPids] = parse_number(file(pids_, "/pids.current"));
  std::string_view const text = file(pressure_, "/memory.pressure");
  out[kMemorySome] = pressure_avg10(text, "some");
  out[kMemoryFull] = pressure_avg10(text, "full");
}

}  // namespace edgepod
