// Memory, CPU, process and pressure figures of control groups, cgroup v2 and v1, in one go for many groups.
#pragma once

#include <cstddef>
#include <string>

#include "lib/fd.h"

namespace edgepod {

// Order of the figures of one group. The TypeScript side (src/runtime/stats.ts) reads them by the same
// positions.
enum CgroupField : size_t {
  kMemoryCurrent,   // bytes
  kMemoryInactive,  // inactive page cache, bytes: working set = current − inactive, as the kubelet counts
  kMemoryAnon,      // bytes
  kMemoryPeak,      // bytes
  kMemoryLimit,     // bytes; infinity: none
  kOomKills,        // processes killed for memory; v1 counts only the group itself, v2 its children too
  kCpuUsage,        // microseconds
  kCpuThrottled,    // microseconds
  kPids,            // processes and threads
  kMemorySome,      // PSI avg10, per cent
  kMemoryFull,      // PSI avg10, per cent
  kCgroupFieldCount,
};

class CgroupStats {
 public:
  // `root`: where the hierarchies are mounted, /sys/fs/cgroup outside of tests.
  explicit CgroupStats(const std::string& root);

  // Fills kCgroupFieldCount figures of the group `path` (relative to the root, e.g. "edgepod/pod<uid>/web");
  // a figure the kernel does not give is kUnknown, and all are when the group is gone.
  void read(const std::string& path, double* out) const;

  const std::string& root() const { return root_; }
  bool unified() const { return unified_; }

 private:
  void read_v2(const std::string& path, double* out) const;
  void read_v1(const std::string& path, double* out) const;

  std::string root_;
  bool unified_ = false;
  // Hierarchy roots stay open. The files of groups do not, though reading them would be four times as fast:
  // each keeps about 4.5 KiB of kernel memory, 120 KiB a pod, for a few milliseconds a minute.
  UniqueFd memory_, cpu_, cpuacct_, pids_;  // v2: only memory_, the one hierarchy
  UniqueFd pressure_;  // v1 hybrid: the (controller-less) v2 tree, which has PSI; or none
};

}  // namespace edgepod
