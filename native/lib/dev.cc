#include "lib/dev.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/mount.h"
#include "lib/path_in_root.h"
#include "lib/sys.h"
#include "lib/user_namespace.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "make-device";

struct StandardDevice {
  const char* name;
  unsigned major, minor;
};
constexpr StandardDevice kStandard[] = {{"null", 1, 3}, {"zero", 1, 5},   {"full", 1, 7},
                                        {"tty", 5, 0},  {"random", 1, 8}, {"urandom", 1, 9}};

struct StandardLink {
  const char* target;
  const char* name;
};
constexpr StandardLink kLinks[] = {{"/proc/self/fd", "fd"},
                                   {"/proc/self/fd/0", "stdin"},
                                   {"/proc/self/fd/1", "stdout"},
                                   {"/proc/self/fd/2", "stderr"},
                                   {"pts/ptmx", "ptmx"}};

mode_t type_bits(char type) { return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR; }

// Something is there already: it must be what was asked for. A link or file in its place would redirect what
// the container, or a later mask, writes (CVE-2025-31133, CVE-2025-52565).
Result<Ok> verify_device(int dir, const char* name, mode_t type, dev_t device) {
  struct stat st;
  if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno_error(kStep, name);
  if ((st.st_mode & S_IFMT) != type || (type != S_IFIFO && st.st_rdev != device))
    return input_error(kStep, std::string(name) + ": exists in the image and is not that device", EEXIST);
  return Ok{};
}

// Without CAP_MKNOD the host's node is bound instead.
Result<Ok> bind_device(int root_fd, const std::string& path, mode_t type, dev_t device) {
  UniqueFd source(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (!source || fstat(source.get(), &st) < 0) return errno_error(kStep, path);
  if ((st.st_mode & S_IFMT) != type || st.st_rdev != device)
    return input_error(kStep, path + ": the host's node is another device", ENODEV);
  auto place = make_file_in_root(root_fd, path);
  if (!place) return Error{kStep, place.error().err, path};
  auto tree = clone_tree(source.get(), false);
  if (!tree) return Error{kStep, tree.error().err, path};
  const bool detached = static_cast<bool>(*tree);
  auto mounted =
      mount_bind({root_fd, path, place->get()}, detached ? tree->get() : source.get(), detached, false);
  if (!mounted) return Error{kStep, mounted.error().err, path};
  return Ok{};
}

Result<Ok> make_node(int root_fd, int dir, const std::string& path, const SpecDevice& wanted) {
  const char* name = path.c_str() + path.rfind('/') + 1;
  const mode_t type = type_bits(wanted.type);
  const dev_t device = makedev(wanted.major, wanted.minor);
  if (mknodat(dir, name, type | wanted.mode, device) < 0) {
    if (errno == EEXIST) return verify_device(dir, name, type, device);
    if (errno == EPERM && type != S_IFIFO) return bind_device(root_fd, path, type, device);
    return errno_error(kStep, path);
  }
  if ((wanted.uid || wanted.gid) && fchownat(dir, name, wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW) < 0)
    return errno_error(kStep, path);
  return Ok{};
}

// Ids outside the pod's range mean nobody in there, as on a volume.
uint32_t in_pod(uint32_t id, uint32_t first_id) {
  return first_id == 0 || id >= kUserRange ? id : first_id + id;
}

SpecDevice owned(SpecDevice device, uint32_t first_id) {
  device.uid = in_pod(device.uid, first_id);
  device.gid = in_pod(device.gid, first_id);
  return device;
}

Result<Ok> make_listed(int root_fd, const SpecDevice& device) {
  const std::string path = clean_path(device.path);
  auto dir = make_dir_in_root(root_fd, path.substr(0, path.rfind('/')));
  if (!dir) return Error{kStep, dir.error().err, path + ": " + dir.error().detail};
  return make_node(root_fd, dir->get(), path, device);
}

bool dev_is_bound(const Spec& spec) {
  for (const SpecMount& mount : spec.mounts)
    if (clean_path(mount.destination) == "/dev") {
      for (const std::string& option : mount.options)
        if (option == "bind" || option == "rbind") return true;
      return mount.type == "bind";
    }
  return false;
}

}  // namespace

Result<Ok> populate_dev(const Spec& spec, int root_fd, uint32_t first_id) {
  if (dev_is_bound(spec)) return Ok{};
  // A link at /dev would have nodes made, and files unlinked, wherever the image likes (CVE-2026-41579,
  // CVE-2026-47766): it must be a real directory, and everything below happens relative to it.
  auto dev = make_dir_in_root(root_fd, "/dev", 0755, Links::Refuse);
  if (!dev) {
    const bool link = dev.error().err == ELOOP;
    return Error{kStep, dev.error().err,
                 link ? "/dev must be a real directory in the image" : dev.error().detail};
  }
  for (const StandardDevice& standard : kStandard) {
    SpecDevice device;
    device.major = standard.major;
    device.minor = standard.minor;
    EDGEPOD_TRY(
        make_node(root_fd, dev->get(), std::string("/dev/") + standard.name, owned(device, first_id)));
  }
  for (const StandardLink& link : kLinks)
    if (symlinkat(link.target, dev->get(), link.name) < 0 && errno != EEXIST)
      return errno_error(kStep, std::string("/dev/") + link.name);
  for (const SpecDevice& device : spec.devices) EDGEPOD_TRY(make_listed(root_fd, owned(device, first_id)));
  return Ok{};
}

}  // namespace edgepod
