// Control groups behind one interface: one directory on cgroup v2, one directory per mounted hierarchy on
// v1 and hybrid systems. Paths are relative to the hierarchies' roots ("edgepod/pod<uid>/<container>").
// Every access starts at a directory fd of the mounted root that was opened once; nothing is resolved by
// absolute path, no symlink is followed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/cgroup/resources.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

class CgroupHost;
struct CgroupHierarchy;

enum class CgroupMode { V2, V1 };

// The layout of this machine: V2 when the unified hierarchy is the only one, V1 for v1 and hybrid.
CgroupMode cgroup_mode();

// What could not be applied because the kernel lacks it; one readable line each, for the node's report.
using CgroupNotes = std::vector<std::string>;

class Cgroup {
 public:
  Cgroup(Cgroup&&) noexcept = default;
  Cgroup& operator=(Cgroup&&) noexcept = default;

  // Makes a new cgroup with its limits written before any process can be in it. Creates missing parents and
  // enables the controllers for them. A left-over directory of the same path is removed first; EBUSY if
  // processes live in it. On error nothing that this call made is left. A limit whose controller the kernel
  // lacks is not fatal: it is told in `notes`.
  static Result<Cgroup> create(std::string_view path, const Resources& resources,
                               CgroupNotes* notes = nullptr);

  // An existing cgroup; ENOENT if it is in no hierarchy.
  static Result<Cgroup> open(std::string_view path);

  const std::string& path() const { return path_; }

  // Directory fd for CLONE_INTO_CGROUP, owned by this object; -1 if there is no unified hierarchy. On a
  // hybrid system it is the unified directory: limits live elsewhere, so call add() as well
  // whenever needs_add() is true (the child must be held until add() returned).
  // Clone only into a cgroup that was never killed, from a caller whose own cgroup never was: recent kernels
  // compare the two cgroups' counts of cgroup.kill and SIGKILL the newborn child when they differ (seen on
  // 6.18). The shim is safe: it lives in a cgroup made for it, and create() replaces leftovers.
  int clone_fd() const { return clone_fd_.get(); }
  bool needs_add() const;

  // Moves a process into every hierarchy.
  Result<Ok> add(pid_t pid) const;

  // Moves the calling process, which must be single-threaded, into every hierarchy; `born_in_unified` says
  // that it was cloned into clone_fd() already. Cheaper than add(getpid()): the kernel need not hold up every
  // fork and exit of the machine (an RCU grace period, milliseconds) to move the one thread that is asking.
  Result<Ok> join(bool born_in_unified) const;

  // Writes limits; also for a running cgroup (in-place resize).
  Result<Ok> set(const Resources& resources, CgroupNotes* notes = nullptr) const;

  // SIGKILLs every process of the subtree, those it forks meanwhile included. Does not wait for their end.
  // Never leaves the cgroup frozen. A caller that is in the subtree itself is spared.
  Result<Ok> kill_all() const;

  // Processes of the whole subtree; empty if the cgroup is gone.
  Result<std::vector<pid_t>> pids() const;

  // Processes killed by the OOM killer so far. v2 counts the subtree, v1 this cgroup. 0 if unknown.
  uint64_t oom_kills() const;

  // Becomes readable when the OOM killer may have struck; owned by this object, opened at the first call.
  // Advisory: -1 if unavailable (PREEMPT_RT kernels lack it), may wake for nothing (v1: at removal).
  int oom_event_fd();
  void drain_oom_event() const;

  // Content of an interface file such as "memory.current" or (v1) "memory.usage_in_bytes".
  Result<std::string> read(const char* file) const;

  // Removes the subtree, deepest first. Retries briefly while killed processes are still leaving
  // (at most about 100 ms); EBUSY if some stay. Gone already is success.
  Result<Ok> remove() const;

 private:
  Cgroup(const CgroupHost* host, std::string path) : host_(host), path_(std::move(path)) {}

  const CgroupHost* host_;
  std::string path_;
  UniqueFd clone_fd_;
  UniqueFd oom_fd_;
};

// Moves the calling process, which must be single-threaded, into one hierarchy's directory `path`; the cheap
// way where there is one (see Cgroup::join). Returns an errno value, 0 for success.
int join_cgroup_dir(const CgroupHierarchy& hierarchy, const std::string& path);

// What this machine's cgroups can do.
struct CgroupFeatures {
  CgroupMode mode = CgroupMode::V1;
  std::vector<std::string> controllers;  // available, e.g. {"cpu", "memory", "pids"}
  bool memory = false, cpu = false, pids = false, io = false;
  bool swap = false;        // swap can be limited
  bool kill = false;        // cgroup.kill
  bool freeze = false;      // v1 freezer or cgroup.freeze
  bool oom_group = false;   // memory.oom.group
  bool devices = false;     // v1 devices controller, or BPF device programs can be loaded
  bool psi = false;         // /proc/pressure
  bool cgroup_psi = false;  // memory.pressure per cgroup
  bool clone_into = false;  // a unified hierarchy is mounted
};
// Probes once (makes and removes one cgroup on the unified hierarchy).
Result<CgroupFeatures> cgroup_features();

}  // namespace edgepod
