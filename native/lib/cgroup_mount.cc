#include "lib/cgroup_mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "lib/path_in_root.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "mount-cgroup";
constexpr uint64_t kAttributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

bool unified_only() {
  struct statfs fs;
  return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

// One line of /proc/self/cgroup: "4:cpu,cpuacct:/path"; no controllers is the unified hierarchy.
struct Hierarchy {
  std::string controllers, path;
};

Result<std::vector<Hierarchy>> own_hierarchies() {
  UniqueFd file(open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC));
  if (!file) return errno_error(kStep, "/proc/self/cgroup");
  auto text = read_all(file.get(), 64 << 10, kStep);
  if (!text) return std::move(text.error());
  std::vector<Hierarchy> out;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    const std::string line = text->substr(at, end - at);
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second != std::string::npos)
      out.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
    at = end + 1;
  }
  return out;
}

std::string directory_of(const Hierarchy& hierarchy) {
  if (hierarchy.controllers.empty()) return "unified";
  if (hierarchy.controllers.rfind("name=", 0) == 0) return hierarchy.controllers.substr(5);
  return hierarchy.controllers;
}

Result<Ok> bind_own(const MountTarget& target, const std::string& source, uint64_t attributes) {
  UniqueFd place(open(source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  // A hierarchy known to the kernel but mounted nowhere is nothing the container could miss.
  if (!place && errno == ENOENT) return Ok{};
  if (!place) return errno_error(kStep, source);
  auto tree = clone_tree(place.get(), false);
  if (!tree) return std::move(tree.error());
  const bool detached = static_cast<bool>(*tree);
  auto mounted = mount_bind(target, detached ? tree->get() : place.get(), detached, false);
  if (!mounted) return std::move(mounted.error());
  return set_mount_attributes(mounted->get(), attributes, 0, false);
}

Result<Ok> mount_hierarchy(const MountTarget& target, const Hierarchy& hierarchy, uint64_t attributes) {
  std::vector<std::pair<std::string, std::string>> data;
  const char* type = hierarchy.controllers.empty() ? "cgroup2" : "cgroup";
  for (size_t at = 0; at < hierarchy.controllers.size();) {
    const size_t comma = std::min(hierarchy.controllers.find(',', at), hierarchy.controllers.size());
    const std::string part = hierarchy.controllers.substr(at, comma - at);
    if (part.rfind("name=", 0) == 0) {
      data.emplace_back("none", "");
      data.emplace_back("name", part.substr(5));
    } else {
      data.emplace_back(part, "");
    }
    at = comma + 1;
  }
  auto mounted = mount_filesystem(target, type, type, data, attributes);
  if (!mounted) return std::move(mounted.error());
  return Ok{};
}

Result<Ok> mount_hybrid(const MountTarget& target, uint64_t attributes, bool own_namespace) {
  auto hierarchies = own_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  auto base = mount_filesystem(target, "tmpfs", "tmpfs", {{"mode", "0755"}, {"size", "64k"}}, kAttributes);
  if (!base) return std::move(base.error());
  for (const Hierarchy& hierarchy : *hierarchies) {
    const std::string name = directory_of(hierarchy);
    const std::string path = target.path + "/" + name;
    auto place = make_dir_in_root(target.root_fd, path);
    if (!place) return std::move(place.error());
    const MountTarget below{target.root_fd, path, place->get()};
    if (own_namespace) {
      EDGEPOD_TRY(mount_hierarchy(below, hierarchy, attributes));
    } else {
      EDGEPOD_TRY(bind_own(below, "/sys/fs/cgroup/" + name + hierarchy.path, attributes));
    }
    // "cpu,cpuacct" is looked for under each of its names.
    for (size_t at = 0; name.find(',') != std::string::npos && at < name.size();) {
      const size_t comma = std::min(name.find(',', at), name.size());
      (void)!symlinkat(name.c_str(), base->get(), name.substr(at, comma - at).c_str());
      at = comma + 1;
    }
  }
  return set_mount_attributes(base->get(), attributes & MOUNT_ATTR_RDONLY, 0, false);
}

}  // namespace

Result<Ok> mount_cgroup(const MountTarget& target, const MountOptions& options, bool own_namespace) {
  // Read-only unless the specification says otherwise: release_agent (CVE-2022-0492) and limits stay out of
  // reach.
  const uint64_t attributes = options.set | kAttributes;
  if (!unified_only()) return mount_hybrid(target, attributes, own_namespace);
  if (own_namespace) return mount_hierarchy(target, {}, attributes);
  auto hierarchies = own_hierarchies();
  if (!hierarchies) return std::move(hierarchies.error());
  for (const Hierarchy& hierarchy : *hierarchies)
    if (hierarchy.controllers.empty()) return bind_own(target, "/sys/fs/cgroup" + hierarchy.path, attributes);
  return input_error(kStep, "the process is in no unified cgroup", ENOENT);
}

}  // namespace edgepod
