#include "lib/rootfs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <climits>

#include "lib/overlay.h"
#include "lib/path_in_root.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

bool follows_host(const Spec& spec) {
  for (const SpecMount& mount : spec.mounts)
    for (const std::string& option : mount.options)
      if (option == "slave" || option == "rslave") return true;
  return false;
}

// Bidirectional volumes: peers of the host stay peers.
bool stays_shared(const Spec& spec) {
  const std::string& wanted = spec.rootfs_propagation;
  if (!wanted.empty()) return wanted == "shared" || wanted == "rshared";
  for (const SpecMount& mount : spec.mounts)
    for (const std::string& option : mount.options)
      if (option == "shared" || option == "rshared") return true;
  return false;
}

Result<Ok> set_root_propagation(uint64_t type) {
  if (sys_mount(nullptr, "/", nullptr, type | MS_REC, nullptr) < 0)
    return errno_error("mount-propagation", "/");
  return Ok{};
}

// pivot_root refuses a new root below a shared mount. `path` is somewhere on that mount: its mount point is
// the first ancestor that can be changed.
Result<Ok> make_parent_private(int place_fd) {
  char path[PATH_MAX];
  const ssize_t n = readlink(FdPath(place_fd).text, path, sizeof path - 1);
  if (n < 0) return errno_error("mount-root");
  std::string at(path, static_cast<size_t>(n));
  for (;;) {
    if (sys_mount(nullptr, at.c_str(), nullptr, MS_PRIVATE, nullptr) == 0) return Ok{};
    if (errno != EINVAL || at == "/") return errno_error("mount-root", at);
    at.resize(std::max<size_t>(at.rfind('/'), 1));
  }
}

}  // namespace

Result<Ok> isolate_propagation(const Spec& spec) {
  const std::string& wanted = spec.rootfs_propagation;
  if (stays_shared(spec)) return Ok{};
  if (wanted == "slave" || wanted == "rslave" || (wanted.empty() && follows_host(spec)))
    return set_root_propagation(MS_SLAVE);
  if (wanted.empty() || wanted == "private" || wanted == "rprivate" || wanted == "unbindable" ||
      wanted == "runbindable")
    return set_root_propagation(MS_PRIVATE);
  return input_error("mount-propagation", "linux.rootfsPropagation: \"" + wanted + "\" is unknown");
}

Result<UniqueFd> mount_root(const Spec& spec, int bundle_fd, const UserNamespace& users) {
  const bool overlay = spec.annotation(kAnnotationLowerDir) != nullptr;
  const std::string path = clean_path(spec.root_path);
  const bool absolute = spec.root_path[0] == '/';
  // The mount point of an overlay need not be prepared by whoever wrote the bundle.
  if (overlay && !absolute && mkdirat(bundle_fd, path.c_str() + 1, 0700) < 0 && errno != EEXIST)
    return errno_error("open-root", spec.root_path);
  const int base = absolute ? AT_FDCWD : bundle_fd;
  UniqueFd base_fd(openat(base, absolute ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  UniqueFd place(openat(base, absolute ? path.c_str() : path.c_str() + 1, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!base_fd || !place) return errno_error("open-root", spec.root_path);
  // Mapped layers would travel to the host.
  if (stays_shared(spec) && users.own())
    return input_error("mount-root", "shared mount propagation needs the host's users", ENOTSUP);
  if (users.own() && !overlay)
    return input_error("mount-root", "a pod with its own users needs an overlay", ENOTSUP);
  if (stays_shared(spec)) EDGEPOD_TRY(make_parent_private(place.get()));
  const MountTarget target{base_fd.get(), path, place.get()};
  if (overlay) return mount_overlay(spec, target, users);
  // pivot_root needs a mount point that is not the host's root.
  auto tree = clone_tree(place.get(), true);
  if (!tree) return Error{"mount-root", tree.error().err, spec.root_path};
  const bool detached = static_cast<bool>(*tree);
  auto root = mount_bind(target, detached ? tree->get() : place.get(), detached, true);
  if (!root) return Error{"mount-root", root.error().err, root.error().detail};
  if (sys_mount(nullptr, FdPath(root->get()).text, nullptr, MS_PRIVATE, nullptr) < 0)
    return errno_error("mount-root", spec.root_path);
  return root;
}

Result<Ok> pivot_into(int root_fd) {
  constexpr const char* kStep = "pivot-root";
  UniqueFd old_root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!old_root) return errno_error(kStep, "/");
  if (fchdir(root_fd) < 0) return errno_error(kStep, "fchdir");
  // The old root is stacked on the new one, so that no directory for it has to exist in the image. There is
  // no chroot fallback: with the host's tree still mounted, its bare /proc could be mounted again (T-18).
  if (sys_pivot_root(".", ".") < 0) return errno_error(kStep);
  if (fchdir(old_root.get()) < 0) return errno_error(kStep, "fchdir old root");
  // Slave: the unmounts below must not travel to the host.
  if (sys_mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0) return errno_error(kStep, "old root");
  if (sys_umount(".", MNT_DETACH) < 0) return errno_error(kStep, "umount old root");
  if (chdir("/") < 0) return errno_error(kStep, "chdir");
  return Ok{};
}

}  // namespace edgepod
