// Writing limits, one function per controller and interface version. Internal to lib/cgroup.
#pragma once

#include <string>
#include <string_view>

#include "lib/cgroup/cgroup.h"
#include "lib/cgroup/files.h"
#include "lib/cgroup/host.h"

namespace edgepod {

// One cgroup's directory in one hierarchy.
class LimitDir {
 public:
  LimitDir(const CgroupHierarchy& hierarchy, const std::string& path, CgroupNotes* notes)
      : root_(hierarchy.root.get()), path_(path), notes_(notes) {}

  // Writes; returns 0 or the errno.
  int write(const char* file, std::string_view value) const;
  int write(const char* file, int64_t value) const { return write(file, std::to_string(value)); }
  int read(const char* file, std::string& out) const;
  // The number in `file`; -1 if it is not one ("max") or cannot be read.
  int64_t read_number(const char* file) const;

  // Ok for 0. A file that this kernel does not have becomes a note; all else, a vanished cgroup included, is
  // an error naming the file and the value.
  Result<Ok> check(int err, const char* file, std::string_view value) const;
  Result<Ok> set(const char* file, std::string_view value) const {
    return check(write(file, value), file, value);
  }

 private:
  int root_;
  const std::string& path_;
  CgroupNotes* notes_;
};

// memory + swap, cpu, pids on cgroup v1 (rules: reference section 1.7).
Result<Ok> v1_set_memory(const LimitDir& dir, const Resources& resources);
Result<Ok> v1_set_cpu(const LimitDir& dir, const Resources& resources);
// The same on v2.
Result<Ok> v2_set_memory(const LimitDir& dir, const Resources& resources);
Result<Ok> v2_set_cpu(const LimitDir& dir, const Resources& resources);
// pids.max is the same file on both.
Result<Ok> set_pids(const LimitDir& dir, int64_t limit);

// v2 cpu.weight (1..10000) for v1 cpu.shares (2..262144), by the curve that maps 1024 to 100.
uint64_t cpu_weight_from_shares(uint64_t shares);

}  // namespace edgepod
