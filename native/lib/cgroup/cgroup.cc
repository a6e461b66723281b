#include "lib/cgroup/cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/cgroup/devices.h"
#include "lib/cgroup/files.h"
#include "lib/cgroup/host.h"
#include "lib/cgroup/limits.h"
#include "lib/cgroup/tree.h"

namespace edgepod {

namespace {

// Takes back the directories a failed creation made.
class Rollback {
 public:
  ~Rollback() {
    for (auto entry = made_.rbegin(); entry != made_.rend(); ++entry) {
      for (auto path = entry->second.rbegin(); path != entry->second.rend(); ++path) {
        unlinkat(entry->first, path->c_str(), AT_REMOVEDIR);
      }
    }
  }
  std::vector<std::string>& for_root(int root_fd) {
    made_.emplace_back(root_fd, std::vector<std::string>());
    return made_.back().second;
  }
  void keep() { made_.clear(); }

 private:
  std::vector<std::pair<int, std::vector<std::string>>> made_;
};

void note_missing(CgroupNotes* notes, const char* what) {
  if (notes) notes->push_back(std::string(what) + " not limited: the kernel has no such cgroup controller");
}

bool wants_memory(const Resources& r) {
  return r.memory_limit || r.memory_reservation || r.memory_swap || r.oom_group;
}

Result<Ok> set_unified(const CgroupHost& host, const std::string& path, const Resources& r,
                       CgroupNotes* notes) {
  for (const auto& [file, value] : r.unified) {
    const CgroupHierarchy* where = host.with(std::string_view(file).substr(0, file.find('.')));
    if (where && where->unified) {
      EDGEPOD_TRY(LimitDir(*where, path, notes).set(file.c_str(), value));
    } else if (notes) {
      notes->push_back(file + " not applied: needs cgroup v2");
    }
  }
  return Ok{};
}

Result<Ok> set_devices(const CgroupHost& host, const std::string& path, const Resources& r,
                       CgroupNotes* notes) {
  std::vector<DeviceRule> rules = with_default_devices(r.devices);
  const CgroupHierarchy* v1 = host.with("devices");
  if (v1) return v1_set_devices(v1->root.get(), path, rules);
  if (host.unified()) return v2_set_devices(host.unified()->root.get(), path, rules, notes);
  note_missing(notes, "device access");
  return Ok{};
}

}  // namespace

Result<Cgroup> Cgroup::create(std::string_view path, const Resources& resources, CgroupNotes* notes) {
  Result<std::string> clean = check_cgroup_path(path);
  if (!clean) return std::move(clean.error());
  const CgroupHost& host = CgroupHost::get();
  if (host.hierarchies().empty())
    return input_error("cgroup-create", "no cgroup file system is mounted", ENODEV);

  Cgroup cgroup(&host, std::move(*clean));
  Rollback rollback;
  for (const CgroupHierarchy& hierarchy : host.hierarchies()) {
    EDGEPOD_TRY(make_cgroup_dirs(hierarchy, cgroup.path_, rollback.for_root(hierarchy.root.get())));
  }
  EDGEPOD_TRY(cgroup.set(resources, notes));
  if (const CgroupHierarchy* unified = host.unified()) {
    cgroup.clone_fd_.reset(
        openat(unified->root.get(), cgroup.path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!cgroup.clone_fd_) return errno_error("cgroup-create", cgroup.path_);
  }
  rollback.keep();
  return cgroup;
}

Result<Cgroup> Cgroup::open(std::string_view path) {
  Result<std::string> clean = check_cgroup_path(path);
  if (!clean) return std::move(clean.error());
  const CgroupHost& host = CgroupHost::get();
  Cgroup cgroup(&host, std::move(*clean));
  bool found = false;
  for (const CgroupHierarchy& hierarchy : host.hierarchies()) {
    found = found || faccessat(hierarchy.root.get(), cgroup.path_.c_str(), F_OK, 0) == 0;
  }
  if (!found) return input_error("cgroup-open", cgroup.path_, ENOENT);
  if (const CgroupHierarchy* unified = host.unified()) {
    cgroup.clone_fd_.reset(
        openat(unified->root.get(), cgroup.path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  return cgroup;
}

bool Cgroup::needs_add() const { return host_->mode() == CgroupMode::V1 || !clone_fd_; }

Result<Ok> Cgroup::add(pid_t pid) const {
  std::string text = std::to_string(pid);
  std::string file = path_ + "/cgroup.procs";
  for (const CgroupHierarchy& hierarchy : host_->hierarchies()) {
    int err = write_cgroup_file(hierarchy.root.get(), file, text);
    if (err == ENOSPC && hierarchy.has("cpuset")) {
      fill_cpuset(hierarchy, path_);
      err = write_cgroup_file(hierarchy.root.get(), file, text);
    }
    if (err != 0) return input_error("cgroup-add", hierarchy.mount_point + "/" + file + "=" + text, err);
  }
  return Ok{};
}

Result<Ok> Cgroup::join(bool born_in_unified) const {
  for (const CgroupHierarchy& hierarchy : host_->hierarchies()) {
    if (hierarchy.unified && born_in_unified) continue;
    int err = join_cgroup_dir(hierarchy, path_);
    if (err == ENOSPC && hierarchy.has("cpuset")) {
      fill_cpuset(hierarchy, path_);
      err = join_cgroup_dir(hierarchy, path_);
    }
    if (err != 0) return input_error("cgroup-add", hierarchy.mount_point + "/" + path_, err);
  }
  return Ok{};
}

int join_cgroup_dir(const CgroupHierarchy& hierarchy, const std::string& path) {
  // "0" is the caller. On v1, "tasks" moves a thread without the lock that "cgroup.procs" takes for a whole
  // process; on v2 a process is always moved whole.
  const char* file = hierarchy.unified ? "/cgroup.procs" : "/tasks";
  return write_cgroup_file(hierarchy.root.get(), path + file, "0");
}

Result<Ok> Cgroup::set(const Resources& r, CgroupNotes* notes) const {
  if (wants_memory(r)) {
    const CgroupHierarchy* memory = host_->with("memory");
    if (memory) {
      LimitDir dir(*memory, path_, notes);
      EDGEPOD_TRY(memory->unified ? v2_set_memory(dir, r) : v1_set_memory(dir, r));
    } else if (r.memory_limit || r.memory_reservation) {
      note_missing(notes, "memory");
    }
  }
  if (r.cpu_shares || r.cpu_quota || r.cpu_period) {
    const CgroupHierarchy* cpu = host_->with("cpu");
    if (cpu) {
      LimitDir dir(*cpu, path_, notes);
      EDGEPOD_TRY(cpu->unified ? v2_set_cpu(dir, r) : v1_set_cpu(dir, r));
    } else if (r.cpu_quota) {  // everybody has shares, asked for or not
      note_missing(notes, "cpu");
    }
  }
  if (r.pids_limit) {
    const CgroupHierarchy* pids = host_->with("pids");
    if (pids) {
      EDGEPOD_TRY(set_pids(LimitDir(*pids, path_, notes), *r.pids_limit));
    } else {
      note_missing(notes, "pids");
    }
  }
  if (!r.devices.empty()) EDGEPOD_TRY(set_devices(*host_, path_, r, notes));
  return set_unified(*host_, path_, r, notes);
}

Result<std::string> Cgroup::read(const char* file) const {
  std::string_view name = file;
  const CgroupHierarchy* where = host_->with(name.substr(0, name.find('.')));
  if (!where) where = host_->primary();
  std::string text;
  int err = where ? read_cgroup_file(where->root.get(), path_ + "/" + file, text) : ENODEV;
  if (err != 0) return input_error("cgroup-read", path_ + "/" + file, err);
  return text;
}

}  // namespace edgepod
