// readonlyPaths and maskedPaths of rootfs.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/mount.h"
#include "lib/path_in_root.h"
#include "lib/rootfs.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

// The host's null device, verified. Never the image's: a /dev/null there may be a link to what should be
// hidden, or to something worth writing to (CVE-2025-31133).
Result<UniqueFd> open_null() {
  UniqueFd null(open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (!null || fstat(null.get(), &st) < 0) return errno_error("mask-path", "/dev/null");
  if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
    return input_error("mask-path", "the host's /dev/null is not the null device", ENODEV);
  return null;
}

Result<UniqueFd> bind(const MountTarget& target, int source, bool recursive) {
  auto tree = clone_tree(source, recursive);
  if (!tree) return tree;
  const bool detached = static_cast<bool>(*tree);
  return mount_bind(target, detached ? tree->get() : source, detached, recursive);
}

class Masker {
 public:
  explicit Masker(int root_fd) : root_fd_(root_fd) {}

  Result<Ok> mask(const std::string& path) {
    auto place = open_in_root(root_fd_, path, O_PATH);
    if (!place) return absent(place.error()) ? Result<Ok>(Ok{}) : Error{"mask-path", place.error().err, path};
    struct stat st;
    if (fstat(place->get(), &st) < 0) return errno_error("mask-path", path);
    const MountTarget target{root_fd_, path, place->get()};
    auto mounted = S_ISDIR(st.st_mode) ? mask_directory(target) : mask_file(target);
    if (!mounted) return Error{"mask-path", mounted.error().err, path};
    return Ok{};
  }

  static bool absent(const Error& error) { return error.err == ENOENT || error.err == ENOTDIR; }

 private:
  Result<UniqueFd> mask_file(const MountTarget& target) {
    if (!null_) {
      auto null = open_null();
      if (!null) return null;
      null_ = std::move(*null);
    }
    return bind(target, null_.get(), false);
  }

  // One empty read-only tmpfs for all directories: a super block per path costs time at start and at unmount.
  Result<UniqueFd> mask_directory(const MountTarget& target) {
    if (empty_) return bind(target, empty_.get(), false);
    auto mounted =
        mount_filesystem(target, "tmpfs", "tmpfs", {{"nr_blocks", "1"}, {"nr_inodes", "1"}},
                         MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (!mounted) return mounted;
    empty_.reset(fcntl(mounted->get(), F_DUPFD_CLOEXEC, 3));
    return mounted;
  }

  const int root_fd_;
  UniqueFd null_, empty_;
};

Result<Ok> make_readonly(int root_fd, const std::string& path) {
  auto place = open_in_root(root_fd, path, O_PATH);
  if (!place)
    return Masker::absent(place.error()) ? Result<Ok>(Ok{}) : Error{"readonly-path", place.error().err, path};
  auto mounted = bind({root_fd, path, place->get()}, place->get(), true);
  if (!mounted) return Error{"readonly-path", mounted.error().err, path};
  auto set = set_mount_attributes(mounted->get(), MOUNT_ATTR_RDONLY, 0, false);
  if (!set) return Error{"readonly-path", set.error().err, path};
  return Ok{};
}

}  // namespace

Result<Ok> protect_paths(const Spec& spec, int root_fd) {
  for (const std::string& path : spec.readonly_paths) EDGEPOD_TRY(make_readonly(root_fd, clean_path(path)));
  Masker masker(root_fd);
  for (const std::string& path : spec.masked_paths) EDGEPOD_TRY(masker.mask(clean_path(path)));
  return Ok{};
}

}  // namespace edgepod
