#include "lib/overlay.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/path_in_root.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "mount-overlay";
constexpr size_t kMaxLayers = 128;
constexpr size_t kMaxOptions = 4095;  // mount(2) takes one page

struct Layers {
  std::vector<UniqueFd> lower;  // topmost first
  UniqueFd upper, work;         // both or none
};

Result<UniqueFd> open_layer(const std::string& path) {
  if (path.empty() || path[0] != '/') return input_error(kStep, path + ": must be an absolute path");
  UniqueFd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error(kStep, path);
  return fd;
}

// An image's layer with its owners mapped. Put over the plain one, in this mount namespace alone: overlayfs
// takes detached mounts only since 6.15.
Result<UniqueFd> map_layer(UniqueFd layer, const std::string& path, const UserNamespace& users) {
  auto tree = clone_tree(layer.get(), false);
  if (!tree) return Error{kStep, tree.error().err, path};
  auto mapped = *tree ? map_mount(tree->get(), users) : Result<Ok>(Error{"id-map", ENOSYS, {}});
  if (!mapped) return Error{"id-map", mapped.error().err, path + ": " + mapped.error().detail};
  if (sys_move_mount(tree->get(), layer.get()) < 0) return errno_error(kStep, path);
  return tree;
}

// What the container writes belongs to its users on the disk too: the directory is of this pod alone. Its
// root's owner is that of the container's "/".
Result<Ok> give_upper(int upper, const UserNamespace& users) {
  if (fchownat(upper, "", users.first, users.first, AT_EMPTY_PATH) < 0) return errno_error(kStep, "upperdir");
  return Ok{};
}

Result<Layers> open_layers(const Spec& spec, const UserNamespace& users) {
  auto list = parse_json(*spec.annotation(kAnnotationLowerDir), 256 << 10, 2);
  if (!list) return Error{kStep, EINVAL, std::string(kAnnotationLowerDir) + ": " + list.error().detail};
  if (!list->IsArray() || list->Empty() || list->Size() > kMaxLayers)
    return input_error(kStep,
                       std::string(kAnnotationLowerDir) + ": must be an array of 1 to 128 directories");
  Layers layers;
  for (const JsonValue& item : list->GetArray()) {
    if (!item.IsString()) return input_error(kStep, std::string(kAnnotationLowerDir) + ": must hold strings");
    const std::string path(item.GetString(), item.GetStringLength());
    auto fd = open_layer(path);
    if (fd && users.own()) fd = map_layer(std::move(*fd), path, users);
    if (!fd) return std::move(fd.error());
    layers.lower.push_back(std::move(*fd));
  }
  const std::string* upper = spec.annotation(kAnnotationUpperDir);
  const std::string* work = spec.annotation(kAnnotationWorkDir);
  if (!upper != !work) return input_error(kStep, "upperdir and workdir go together");
  if (!upper) return layers;
  auto upper_fd = open_layer(*upper);
  if (!upper_fd) return std::move(upper_fd.error());
  auto work_fd = open_layer(*work);
  if (!work_fd) return std::move(work_fd.error());
  if (users.own()) EDGEPOD_TRY(give_upper(upper_fd->get(), users));
  layers.upper = std::move(*upper_fd);
  layers.work = std::move(*work_fd);
  return layers;
}

bool set_text(int fs, const char* key, const char* value) {
  return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) == 0;
}

// Before 6.5 overlayfs reads its options only when the file system is made, and writes what it does not know
// into the kernel's log, once a container. It takes a name beforehand that no kernel has.
bool reads_options_late(int fs) { return set_text(fs, "edgepod-unknown", "1"); }

// Layers go in as /proc/self/fd/N: opened once, and short, so that neither the 255 bytes of fsconfig nor the
// page of mount(2) limits where layers live or how many there are.
Result<UniqueFd> overlay_by_fs(const Layers& layers, unsigned attributes = 0) {
  UniqueFd fs(sys_fsopen("overlay"));
  if (!fs) return errno_error(kStep, "overlay");
  if (reads_options_late(fs.get())) return Error{kStep, ENOSYS, "lowerdir+"};
  for (const UniqueFd& layer : layers.lower)
    if (!set_text(fs.get(), "lowerdir+", FdPath(layer.get()).text)) return errno_error(kStep, "lowerdir+");
  if (layers.upper && (!set_text(fs.get(), "upperdir", FdPath(layers.upper.get()).text) ||
                       !set_text(fs.get(), "workdir", FdPath(layers.work.get()).text)))
    return errno_error(kStep, "upperdir");
  if (sys_fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return errno_error(kStep, "overlay");
  UniqueFd mount(sys_fsmount(fs.get(), attributes));
  if (!mount) return errno_error(kStep, "overlay");
  return mount;
}

// No fsopen (< 5.2), or an overlay that does not know "lowerdir+" (< 6.8).
bool too_old(const Error& error) {
  return error.err == ENOSYS || (error.err == EINVAL && error.detail == "lowerdir+");
}

Result<Ok> mount_by_options(const Layers& layers, int target, unsigned long flags) {
  std::string options = "lowerdir=";
  for (const UniqueFd& layer : layers.lower) {
    if (options.back() != '=') options += ':';
    options += FdPath(layer.get()).text;
  }
  if (layers.upper) {
    options += std::string(",upperdir=") + FdPath(layers.upper.get()).text;
    options += std::string(",workdir=") + FdPath(layers.work.get()).text;
  }
  if (options.size() > kMaxOptions) return input_error(kStep, "too many layers for this kernel", E2BIG);
  if (sys_mount("overlay", FdPath(target).text, "overlay", flags, options.c_str()) < 0)
    return errno_error(kStep, "overlay");
  return Ok{};
}

Result<UniqueFd> overlay_by_mount(const Layers& layers, const MountTarget& target) {
  EDGEPOD_TRY(mount_by_options(layers, target.fd, 0));
  return open_in_root(target.root_fd, target.path, O_PATH | O_DIRECTORY);
}

}  // namespace

Result<UniqueFd> mount_overlay(const Spec& spec, const MountTarget& target, const UserNamespace& users) {
  auto layers = open_layers(spec, users);
  if (!layers) return std::move(layers.error());
  auto mount = overlay_by_fs(*layers);
  if (mount) {
    if (sys_move_mount(mount->get(), target.fd) < 0) return errno_error(kStep, target.path);
    return mount;
  }
  if (too_old(mount.error())) return overlay_by_mount(*layers, target);
  return mount;
}

Result<Ok> mount_layers(const std::vector<std::string>& lower, const std::string& target) {
  if (lower.size() < 2 || lower.size() > kMaxLayers) return input_error(kStep, "needs 2 to 128 directories");
  Layers layers;
  for (const std::string& path : lower) {
    auto fd = open_layer(path);
    if (!fd) return std::move(fd.error());
    layers.lower.push_back(std::move(*fd));
  }
  UniqueFd const place(open(target.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!place) return errno_error(kStep, target);
  constexpr unsigned kAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  auto mount = overlay_by_fs(layers, kAttributes);
  if (!mount && too_old(mount.error()))
    return mount_by_options(layers, place.get(), MS_RDONLY | MS_NOSUID | MS_NODEV);
  if (!mount) return std::move(mount.error());
  if (sys_move_mount(mount->get(), place.get()) < 0) return errno_error(kStep, target);
  return Ok{};
}

}  // namespace edgepod
