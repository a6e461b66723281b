#include "lib/cgroup/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "lib/cgroup/files.h"

namespace edgepod {

namespace {

// A container with a writable cgroup can nest as deep as it likes; recursion here must not follow forever.
constexpr int kMaxDepth = 64;
constexpr const char* kWanted[] = {"cpu", "memory", "pids", "io"};

// Enables what the root offers of the controllers we use. One write first; where that fails (a controller
// is not available below this parent), one by one: a missing controller is reported when a limit needs it.
void enable_controllers(const CgroupHierarchy& hierarchy, const std::string& parent) {
  std::string all;
  for (const char* name : kWanted) {
    if (hierarchy.has(name)) all += (all.empty() ? "+" : " +") + std::string(name);
  }
  std::string file = parent.empty() ? "cgroup.subtree_control" : parent + "/cgroup.subtree_control";
  if (all.empty() || write_cgroup_file(hierarchy.root.get(), file, all) == 0) return;
  for (const char* name : kWanted) {
    if (hierarchy.has(name)) write_cgroup_file(hierarchy.root.get(), file, "+" + std::string(name));
  }
}

// As mkdirat, with the mode of any other cgroup whatever the shim's umask: programs of any user size
// themselves by the limits that they read in it.
int make_dir(int root, const std::string& path) {
  if (mkdirat(root, path.c_str(), 0755) != 0) return -1;
  if (fchmodat(root, path.c_str(), 0755, 0) == 0) return 0;
  const int err = errno;
  unlinkat(root, path.c_str(), AT_REMOVEDIR);
  errno = err;
  return -1;
}

// Settings that only a hierarchy's topmost directory of ours needs; those below inherit them.
void prepare_top(const CgroupHierarchy& hierarchy, const std::string& top) {
  int root = hierarchy.root.get();
  if (hierarchy.has("cpuset")) {
    fill_cpuset(hierarchy, top);
    write_cgroup_file(root, top + "/cgroup.clone_children", "1");
  }
  // Kernels before 5.11 count children only when told to; later ones accept the write and ignore it.
  if (hierarchy.has("memory")) write_cgroup_file(root, top + "/memory.use_hierarchy", "1");
}

Result<Ok> make_one(const CgroupHierarchy& hierarchy, const std::string& path,
                    std::vector<std::string>& made) {
  if (make_dir(hierarchy.root.get(), path) == 0) {
    made.push_back(path);
    if (!hierarchy.unified && path.find('/') == path.npos) prepare_top(hierarchy, path);
    return Ok{};
  }
  if (errno == EEXIST) return Ok{};
  return errno_error("cgroup-create", hierarchy.mount_point + "/" + path);
}

Result<Ok> make_parents(const CgroupHierarchy& hierarchy, const std::string& path,
                        std::vector<std::string>& made) {
  if (hierarchy.unified) enable_controllers(hierarchy, "");
  for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
    std::string parent = path.substr(0, slash);
    EDGEPOD_TRY(make_one(hierarchy, parent, made));
    if (hierarchy.unified) enable_controllers(hierarchy, parent);
  }
  return Ok{};
}

Result<Ok> make_leaf(const CgroupHierarchy& hierarchy, const std::string& path,
                     std::vector<std::string>& made) {
  int root = hierarchy.root.get();
  if (make_dir(root, path) != 0) {
    if (errno != EEXIST) return errno_error("cgroup-create", hierarchy.mount_point + "/" + path);
    // Left by a runner that was killed: made anew, so that its counters and limits are not inherited.
    if (int err = remove_cgroup_dirs(root, path)) {
      return input_error("cgroup-create", hierarchy.mount_point + "/" + path + " exists and is in use", err);
    }
    if (make_dir(root, path) != 0) {
      return errno_error("cgroup-create", hierarchy.mount_point + "/" + path);
    }
  }
  made.push_back(path);
  if (!hierarchy.unified && path.find('/') == path.npos) prepare_top(hierarchy, path);
  return Ok{};
}

UniqueFd open_dir(int parent, const char* name) {
  return UniqueFd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

// Calls f(name) for each child directory.
template <typename F>
void each_child(int dir_fd, F&& f) {
  int copy = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
  DIR* dir = copy < 0 ? nullptr : fdopendir(copy);
  if (!dir) {
    if (copy >= 0) close(copy);
    return;
  }
  rewinddir(dir);
  while (dirent* entry = readdir(dir)) {
    if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) continue;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    f(entry->d_name);
  }
  closedir(dir);
}

void walk(int dir_fd, const std::function<void(int)>& visit, int depth) {
  visit(dir_fd);
  if (depth >= kMaxDepth) return;
  each_child(dir_fd, [&](const char* name) {
    if (UniqueFd child = open_dir(dir_fd, name)) walk(child.get(), visit, depth + 1);
  });
}

int remove_at(int parent_fd, const char* name, int depth) {
  if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  int err = errno;
  if (depth >= kMaxDepth || (err != EBUSY && err != ENOTEMPTY)) return err;
  if (UniqueFd dir = open_dir(parent_fd, name)) {
    each_child(dir.get(), [&](const char* child) { remove_at(dir.get(), child, depth + 1); });
  }
  if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  return errno;
}

}  // namespace

Result<Ok> make_cgroup_dirs(const CgroupHierarchy& hierarchy, const std::string& path,
                            std::vector<std::string>& made) {
  size_t slash = path.rfind('/');
  std::string parent = slash == path.npos ? "" : path.substr(0, slash);
  // The common case: the parent is there, and one mkdir does it.
  bool parent_exists = parent.empty() || faccessat(hierarchy.root.get(), parent.c_str(), F_OK, 0) == 0;
  if (!parent_exists) EDGEPOD_TRY(make_parents(hierarchy, path, made));
  if (hierarchy.unified && parent_exists) enable_controllers(hierarchy, parent);
  return make_leaf(hierarchy, path, made);
}

bool walk_cgroup(int root_fd, const std::string& path, const std::function<void(int)>& visit) {
  UniqueFd dir = open_dir(root_fd, path.c_str());
  if (!dir) return false;
  walk(dir.get(), visit, 0);
  return true;
}

int remove_cgroup_dirs(int root_fd, const std::string& path) { return remove_at(root_fd, path.c_str(), 0); }

bool direct_pids(int dir_fd, std::vector<pid_t>& out) {
  std::string text;
  read_cgroup_file(dir_fd, "cgroup.procs", text);
  for (const char* at = text.c_str(); *at;) {
    char* end;
    long pid = strtol(at, &end, 10);
    if (end == at) break;
    if (pid > 0) out.push_back(static_cast<pid_t>(pid));
    at = *end ? end + 1 : end;
  }
  bool leaf = true;
  each_child(dir_fd, [&](const char*) { leaf = false; });
  return leaf;
}

bool subtree_pids(int root_fd, const std::string& path, std::vector<pid_t>& out) {
  return walk_cgroup(root_fd, path, [&](int dir_fd) { direct_pids(dir_fd, out); });
}

void fill_cpuset(const CgroupHierarchy& hierarchy, const std::string& path) {
  int root = hierarchy.root.get();
  std::string parent;
  for (size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    std::string level = path.substr(0, slash);
    for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
      std::string own, inherited;
      read_cgroup_file(root, level + "/" + file, own);
      if (own.size() > 1) continue;  // more than the newline
      read_cgroup_file(root, parent.empty() ? file : parent + "/" + file, inherited);
      write_cgroup_file(root, level + "/" + file, inherited);
    }
    if (slash == path.npos) return;
    parent = level;
  }
}

}  // namespace edgepod
