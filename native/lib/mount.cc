#include "lib/mount.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "lib/cgroup_mount.h"
#include "lib/path_in_root.h"
#include "lib/sys.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

namespace edgepod {
namespace {

constexpr const char* kStep = "mount";

Error at(const std::string& destination, Error error) {
  error.detail =
      destination + (error.detail.empty() || error.detail == destination ? "" : ": " + error.detail);
  return error;
}

// subPath of a volume: resolved under the volume, whatever links a container has put there (CVE-2017-1002101,
// CVE-2021-25741). A missing one becomes a directory, as the kubelet makes it.
Result<UniqueFd> open_subpath(int volume, const std::string& subpath) {
  auto opened = open_in_root(volume, clean_path(subpath), O_PATH);
  if (opened || opened.error().err != ENOENT) return opened;
  struct stat st;
  if (fstat(volume, &st) < 0) return errno_error("open-mount-source", subpath);
  return make_dir_in_root(volume, subpath, st.st_mode & 07777);
}

Result<Ok> open_source(PlannedMount& mount, int bundle_fd, const UserNamespace& users) {
  const std::string& source = mount.spec->source;
  UniqueFd place(openat(bundle_fd, source.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return errno_error("open-mount-source", source);
  if (!mount.options.subpath.empty()) {
    auto sub = open_subpath(place.get(), mount.options.subpath);
    if (!sub) return Error{"open-mount-source", sub.error().err, source + ": subpath " + sub.error().detail};
    place = std::move(*sub);
  }
  struct stat st;
  if (fstat(place.get(), &st) < 0) return errno_error("open-mount-source", source);
  mount.is_dir = S_ISDIR(st.st_mode);
  // Opened once; what is checked here is what gets mounted, whatever happens to the name meanwhile.
  auto tree = clone_tree(place.get(), mount.options.recursive);
  if (!tree) return at(source, tree.error());
  mount.detached = static_cast<bool>(*tree);
  if (mount.options.id_mapped) {
    // Attached first and mapped later is not possible.
    auto mapped = mount.detached ? map_mount(tree->get(), users) : Result<Ok>(Error{"id-map", ENOSYS, {}});
    if (!mapped) return at(source, mapped.error());
  }
  mount.source = mount.detached ? std::move(*tree) : std::move(place);
  return Ok{};
}

// File systems made for the container belong to its root, and the terminals to its group "tty".
void give_to_pod(PlannedMount& mount, const UserNamespace& users) {
  const std::string first = std::to_string(users.first);
  if (mount.spec->type == "tmpfs") {
    mount.options.data.emplace_back("uid", first);
    mount.options.data.emplace_back("gid", first);
  }
  if (mount.spec->type != "devpts") return;
  for (auto& [key, value] : mount.options.data)
    if (key == "gid")
      value = std::to_string(users.first + static_cast<uint32_t>(strtoul(value.c_str(), nullptr, 10)));
}

Result<UniqueFd> open_target(int root_fd, const PlannedMount& mount) {
  const std::string& type = mount.spec->type;
  const bool kernel_view = type == "proc" || type == "sysfs";
  // A link at /proc or /sys would let an image choose where masks and read-only paths end up (CVE-2023-27561,
  // CVE-2023-28642, CVE-2019-19921): these must be real directories.
  const Links links = kernel_view ? Links::Refuse : Links::Follow;
  auto target = mount.is_dir ? make_dir_in_root(root_fd, mount.destination, 0755, links)
                             : make_file_in_root(root_fd, mount.destination);
  if (!target) {
    const bool link = kernel_view && target.error().err == ELOOP;
    const std::string reason =
        link ? "must be a real directory in the image, not a symbolic link" : target.error().detail;
    return at(mount.destination, Error{kStep, target.error().err, reason});
  }
  // Anything over procfs could fake the files that this and later starts write security settings to
  // (CVE-2019-16884, CVE-2025-52881).
  const bool over_proc =
      mount.destination == "/proc" && type != "proc" && !(mount.source && on_procfs(mount.source.get()));
  const bool inside_proc = on_procfs(target->get()) && !(mount.destination == "/proc" && type == "proc");
  if (over_proc || inside_proc)
    return input_error(kStep, mount.destination + ": nothing may be mounted over /proc", EPERM);
  return target;
}

Result<Ok> set_propagation(int mount_fd, const MountOptions& options, const std::string& destination) {
  if (!options.propagation) return Ok{};
  const unsigned recursive = options.propagation_recursive ? AT_RECURSIVE : 0;
  if (sys_mount_setattr(mount_fd, recursive, 0, 0, options.propagation) == 0) return Ok{};
  if (errno != ENOSYS) return errno_error(kStep, destination + ": propagation");
  const uint64_t flags = options.propagation | (options.propagation_recursive ? MS_REC : 0);
  if (sys_mount(nullptr, FdPath(mount_fd).text, nullptr, flags, nullptr) < 0)
    return errno_error(kStep, destination + ": propagation");
  return Ok{};
}

}  // namespace

Result<std::vector<PlannedMount>> plan_mounts(const std::vector<SpecMount>& mounts, int bundle_fd,
                                              const UserNamespace& users) {
  std::vector<PlannedMount> plan;
  plan.reserve(mounts.size());
  for (const SpecMount& spec : mounts) {
    auto options = parse_mount_options(spec.options, spec.type == "bind");
    if (!options) return at(spec.destination, options.error());
    PlannedMount mount;
    mount.spec = &spec;
    mount.options = std::move(*options);
    mount.destination = clean_path(spec.destination);
    if (mount.destination == "/") return input_error("mount-options", "/: the root is not a mount target");
    if (mount.options.id_mapped && !users.own())
      return at(spec.destination, input_error("mount-options", "\"idmap\" without users of the pod's own"));
    if (mount.options.bind) EDGEPOD_TRY(open_source(mount, bundle_fd, users));
    if (users.own()) give_to_pod(mount, users);
    plan.push_back(std::move(mount));
  }
  return plan;
}

Result<Ok> attach_mount(int root_fd, PlannedMount& mount, bool own_cgroup_namespace) {
  auto place = open_target(root_fd, mount);
  if (!place) return std::move(place.error());
  const MountTarget target{root_fd, mount.destination, place->get()};
  const std::string& type = mount.spec->type;
  if (type == "cgroup" || type == "cgroup2") return mount_cgroup(target, mount.options, own_cgroup_namespace);
  const MountOptions& options = mount.options;
  auto mounted = options.bind ? mount_bind(target, mount.source.get(), mount.detached, options.recursive)
                              : mount_filesystem(target, type.c_str(), mount.spec->source.c_str(),
                                                 options.data, options.set);
  if (!mounted) {
    // Vendor kernels without POSIX message queues: nothing in the container can use them, so nothing is
    // missing.
    if (type == "mqueue" && mounted.error().err == ENODEV) return Ok{};
    return at(mount.destination, mounted.error());
  }
  if (options.bind) {
    auto set = set_mount_attributes(mounted->get(), options.set, options.clear, false);
    if (!set) return at(mount.destination, set.error());
  }
  if (options.recursive_readonly_optional) {
    auto set = set_mount_attributes(mounted->get(), MOUNT_ATTR_RDONLY, 0, true);
    if (!set && set.error().err != ENOSYS) return at(mount.destination, set.error());
  }
  auto deep = set_mount_attributes(mounted->get(), options.recursive_set, options.recursive_clear, true);
  if (!deep) return at(mount.destination, deep.error());
  return set_propagation(mounted->get(), options, mount.destination);
}

}  // namespace edgepod
