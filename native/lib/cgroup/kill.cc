// Ending every process of a cgroup's subtree, forks under way included.
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "lib/cgroup/cgroup.h"
#include "lib/cgroup/files.h"
#include "lib/cgroup/host.h"
#include "lib/cgroup/tree.h"

namespace edgepod {

namespace {

constexpr int kFreezeTries = 50;
constexpr int kKillRounds = 20;

void sleep_us(long us) {
  timespec ts{us / 1000000, us % 1000000 * 1000};
  nanosleep(&ts, nullptr);
}

// Freezes for its lifetime. Thawing in the destructor covers every way out: a frozen cgroup on v1
// cannot even be killed.
class Freeze {
 public:
  Freeze(const CgroupHierarchy& hierarchy, const std::string& path) : hierarchy_(hierarchy), path_(path) {
    root_ = hierarchy.root.get();
    const char* file = hierarchy.unified ? "/cgroup.freeze" : "/freezer.state";
    usable_ = write_cgroup_file(root_, path + file, hierarchy.unified ? "1" : "FROZEN") == 0;
    for (int i = 0; usable_ && i < kFreezeTries && !frozen(); ++i) sleep_us(200);
  }
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;
  ~Freeze() {
    if (!usable_) return;
    const char* file = hierarchy_.unified ? "cgroup.freeze" : "freezer.state";
    const char* thaw = hierarchy_.unified ? "0" : "THAWED";
    // Levels below may have been frozen on their own.
    walk_cgroup(root_, path_, [&](int dir_fd) { write_cgroup_file(dir_fd, file, thaw); });
  }

 private:
  bool frozen() const {
    std::string text;
    if (hierarchy_.unified) {
      read_cgroup_file(root_, path_ + "/cgroup.events", text);
      return flat_keyed_value(text, "frozen") == 1;
    }
    read_cgroup_file(root_, path_ + "/freezer.state", text);
    if (text.starts_with("FROZEN")) return true;
    // FREEZING can stick when a process forks at the wrong moment; asking again resolves it.
    write_cgroup_file(root_, path_ + "/freezer.state", "FROZEN");
    return false;
  }

  const CgroupHierarchy& hierarchy_;
  const std::string& path_;
  int root_;
  bool usable_;
};

// Freeze, signal all, thaw; again until a round finds nobody new. While frozen no process can fork, and
// none can end and give its pid to a stranger (v1).
void kill_rounds(const CgroupHierarchy& hierarchy, const std::string& path) {
  std::vector<pid_t> last;
  for (int round = 0; round < kKillRounds; ++round) {
    std::vector<pid_t> pids;
    {
      Freeze freeze(hierarchy, path);
      if (!subtree_pids(hierarchy.root.get(), path, pids) || pids.empty()) return;
      std::sort(pids.begin(), pids.end());
      for (pid_t pid : pids) kill(pid, SIGKILL);
    }
    if (std::includes(last.begin(), last.end(), pids.begin(), pids.end())) return;
    last = std::move(pids);
  }
}

// The caller is in the subtree itself (a shim lives in its pod's cgroup) and must neither be killed nor
// frozen. Directories without children and without the caller are killed whole, in the others one by one.
void kill_around_caller(const CgroupHierarchy& hierarchy, const std::string& path) {
  std::vector<pid_t> last;
  for (int round = 0; round < kKillRounds; ++round) {
    std::vector<pid_t> all;
    walk_cgroup(hierarchy.root.get(), path, [&](int dir_fd) {
      std::vector<pid_t> members;
      bool leaf = direct_pids(dir_fd, members);
      bool has_caller = std::find(members.begin(), members.end(), getpid()) != members.end();
      bool whole = leaf && !has_caller && write_cgroup_file(dir_fd, "cgroup.kill", "1") == 0;
      for (pid_t pid : members) {
        if (pid == getpid()) continue;
        all.push_back(pid);
        if (!whole) kill(pid, SIGKILL);
      }
    });
    std::sort(all.begin(), all.end());
    if (std::includes(last.begin(), last.end(), all.begin(), all.end())) return;
    last = std::move(all);
  }
}

// Processes in `primary` that the unified hierarchy does not have: only a failed or bypassed add() makes
// such.
bool has_strays(const CgroupHost& host, const CgroupHierarchy& primary, const std::string& path) {
  std::vector<pid_t> here, unified;
  subtree_pids(primary.root.get(), path, here);
  if (here.empty()) return false;
  subtree_pids(host.unified()->root.get(), path, unified);
  std::sort(unified.begin(), unified.end());
  return std::any_of(here.begin(), here.end(),
                     [&](pid_t pid) { return !std::binary_search(unified.begin(), unified.end(), pid); });
}

}  // namespace

Result<Ok> Cgroup::kill_all() const {
  const CgroupHierarchy* primary = host_->primary();
  const CgroupHierarchy* unified = host_->unified();
  if (!primary) return Ok{};
  std::vector<pid_t> members;
  subtree_pids(primary->root.get(), path_, members);
  if (std::find(members.begin(), members.end(), getpid()) != members.end()) {
    kill_around_caller(unified ? *unified : *primary, path_);
    if (unified && unified != primary) kill_around_caller(*primary, path_);
    return Ok{};
  }
  if (unified) {
    // Fastest and free of races: the kernel signals the subtree, forks under way included (5.14).
    int err = write_cgroup_file(unified->root.get(), path_ + "/cgroup.kill", "1");
    bool complete = primary == unified || !has_strays(*host_, *primary, path_);
    if (err == 0 && complete) return Ok{};
    if (err != 0 && err != ENOENT && err != EOPNOTSUPP) {
      return input_error("cgroup-kill", path_ + "/cgroup.kill", err);
    }
  }
  kill_rounds(*primary, path_);
  return Ok{};
}

Result<std::vector<pid_t>> Cgroup::pids() const {
  std::vector<pid_t> all;
  const CgroupHierarchy* primary = host_->primary();
  if (primary) subtree_pids(primary->root.get(), path_, all);
  if (host_->unified() && host_->unified() != primary) subtree_pids(host_->unified()->root.get(), path_, all);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Result<Ok> Cgroup::remove() const {
  // Killed processes need a moment to leave. Waits double from 0.1 ms; about 100 ms over all hierarchies.
  long wait_us = 100;
  for (const CgroupHierarchy& hierarchy : host_->hierarchies()) {
    int err;
    while ((err = remove_cgroup_dirs(hierarchy.root.get(), path_)) == EBUSY && wait_us <= 51200) {
      sleep_us(wait_us);
      wait_us *= 2;
    }
    if (err != 0) {
      return input_error("cgroup-remove", hierarchy.mount_point + "/" + path_ + ": processes are still in it",
                         err);
    }
  }
  return Ok{};
}

}  // namespace edgepod
