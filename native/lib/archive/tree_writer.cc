#include "lib/archive/tree_writer.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "lib/archive/remove_tree.h"
#include "lib/path_in_root.h"

namespace edgepod {
namespace {

constexpr const char* kOpaqueXattr = "trusted.overlay.opaque";

Error failed(const char* step, const std::string& path) {
  return errno_error(step, "entry " + quoted_name(path));
}

bool is_whiteout(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0); }

// user.* is data; security.capability is what makes ping work. Everything else steers the host: overlayfs
// (trusted.overlay.*, user.overlay.*), IMA/EVM, SELinux, POSIX ACLs of unknown ids.
bool may_set(const std::string& name) {
  if (name.starts_with("user.overlay.")) return false;
  return name.starts_with("user.") || name == "security.capability";
}

}  // namespace

Result<int> TreeWriter::parent_of(const EntryName& name) {
  if (name.parent.empty()) return root_;
  if (cached_ && cached_path_ == name.parent) return cached_.get();
  auto fd = open_in_root(root_, name.parent, O_PATH | O_DIRECTORY);
  if (!fd && (fd.error().err == ENOENT || fd.error().err == ENOTDIR)) fd = make_directories(name.parent);
  if (!fd) return std::move(fd.error());
  cached_path_ = name.parent;
  cached_ = std::move(*fd);
  return cached_.get();
}

// Parents an archive does not list: root's, 0755.
Result<UniqueFd> TreeWriter::make_directories(const std::string& path) {
  UniqueFd above;
  for (size_t start = 0, end = 0; end != path.npos; start = end + 1) {
    end = path.find('/', start);
    const std::string prefix = path.substr(0, end);
    auto fd = open_in_root(root_, prefix, O_PATH | O_DIRECTORY);
    if (!fd && (fd.error().err == ENOENT || fd.error().err == ENOTDIR)) {
      const std::string base = path.substr(start, end == path.npos ? end : end - start);
      EDGEPOD_TRY(make_implied_directory(above ? above.get() : root_, base, prefix));
      fd = open_in_root(root_, prefix, O_PATH | O_DIRECTORY);
    }
    if (!fd) return std::move(fd.error());
    above = std::move(*fd);
  }
  return above;
}

Result<Ok> TreeWriter::make_implied_directory(int parent, const std::string& base, const std::string& path) {
  if (mkdirat(parent, base.c_str(), 0755) == 0) return Ok{};
  if (errno != EEXIST) return failed("make-parent", path);
  struct stat info;
  if (fstatat(parent, base.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return failed("make-parent", path);
  if (!is_whiteout(info))
    return input_error("make-parent",
                       "entry " + quoted_name(path) + " is needed as a directory but is " +
                           (S_ISLNK(info.st_mode) ? "a link to nothing in the layer" : "something else"),
                       ENOTDIR);
  // Hidden first and then filled: a directory with nothing of the lower layers in it.
  if (unlinkat(parent, base.c_str(), 0) != 0 || mkdirat(parent, base.c_str(), 0755) != 0)
    return failed("make-parent", path);
  UniqueFd fd(openat(parent, base.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed("make-parent", path);
  return set_opaque(fd.get(), path);
}

// Takes away what is in the way of a new entry, as later entries of one archive replace earlier ones.
Result<Ok> TreeWriter::replace(int parent, const EntryName& name) {
  if (unlinkat(parent, name.base.c_str(), 0) == 0) {
    // It may have been a symbolic link on the way to the cached parent.
    if (parent != cached_.get()) cached_.reset();
    return Ok{};
  }
  if (errno != EISDIR && errno != EPERM) return failed("replace", name.path());
  Result<Ok> removed = remove_tree(parent, name.base.c_str());
  if (parent != cached_.get()) cached_.reset();
  return removed;
}

Result<Ok> TreeWriter::directory(const EntryName& name, const Metadata& metadata) {
  if (name.kind == NameKind::Root) {
    UniqueFd fd(openat(root_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failed("make-directory", ".");
    EDGEPOD_TRY(set_metadata(fd.get(), ".", metadata));
    directory_times_.emplace_back(name, metadata.mtime);
    return Ok{};
  }
  auto parent = parent_of(name);
  if (!parent) return std::move(parent.error());
  bool hidden = false;
  if (mkdirat(*parent, name.base.c_str(), 0700) != 0) {
    struct stat info;
    if (errno != EEXIST || fstatat(*parent, name.base.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return failed("make-directory", name.path());
    if (!S_ISDIR(info.st_mode)) {
      hidden = is_whiteout(info);
      const int kept = *parent;
      EDGEPOD_TRY(replace(kept, name));
      if (mkdirat(kept, name.base.c_str(), 0700) != 0) return failed("make-directory", name.path());
    }
  }
  UniqueFd fd(openat(*parent, name.base.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed("make-directory", name.path());
  if (hidden) EDGEPOD_TRY(set_opaque(fd.get(), name.path()));
  EDGEPOD_TRY(set_metadata(fd.get(), name.path(), metadata));
  directory_times_.emplace_back(name, metadata.mtime);
  return Ok{};
}

Result<UniqueFd> TreeWriter::create_file(const EntryName& name) {
  auto parent = parent_of(name);
  if (!parent) return std::move(parent.error());
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(*parent, name.base.c_str(), kFlags, 0600);
  if (fd < 0 && errno == EEXIST) {
    EDGEPOD_TRY(replace(*parent, name));
    fd = openat(*parent, name.base.c_str(), kFlags, 0600);
  }
  if (fd < 0) return failed("create-file", name.path());
  return UniqueFd(fd);
}

Result<Ok> TreeWriter::finish_file(int fd, const EntryName& name, const Metadata& metadata) {
  EDGEPOD_TRY(set_metadata(fd, name.path(), metadata));
  const timespec times[2] = {metadata.mtime, metadata.mtime};
  if (futimens(fd, times) != 0) return failed("set-times", name.path());
  return Ok{};
}

Result<Ok> TreeWriter::symlink(const EntryName& name, const char* target, const Metadata& metadata) {
  auto parent = parent_of(name);
  if (!parent) return std::move(parent.error());
  if (symlinkat(target, *parent, name.base.c_str()) != 0) {
    if (errno != EEXIST) return failed("make-link", name.path());
    EDGEPOD_TRY(replace(*parent, name));
    if (symlinkat(target, *parent, name.base.c_str()) != 0) return failed("make-link", name.path());
  }
  return set_metadata_at(*parent, name, metadata, true);
}

Result<Ok> TreeWriter::hardlink(const EntryName& name, const EntryName& target) {
  const auto refuse = [&](const char* why, int err) {
    return input_error("make-hardlink",
                       "entry " + quoted_name(name.path()) + " -> " + quoted_name(target.path()) + ": " + why,
                       err);
  };
  auto source = open_in_root(root_, target.parent, O_PATH | O_DIRECTORY);
  struct stat info;
  if (!source || fstatat(source->get(), target.base.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return refuse("the target is not in the layer (before the link)", ENOENT);
  // A second name of a whiteout would be a whiteout nobody asked for; directories have one name.
  if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode) && !S_ISFIFO(info.st_mode))
    return refuse("the target is no file", EPERM);
  auto parent = parent_of(name);
  if (!parent) return std::move(parent.error());
  if (linkat(source->get(), target.base.c_str(), *parent, name.base.c_str(), 0) == 0) return Ok{};
  if (errno != EEXIST) return failed("make-hardlink", name.path());
  struct stat existing;
  if (fstatat(*parent, name.base.c_str(), &existing, AT_SYMLINK_NOFOLLOW) == 0 &&
      existing.st_ino == info.st_ino)
    return Ok{};  // linked to itself: removing it first would lose it
  EDGEPOD_TRY(replace(*parent, name));
  if (linkat(source->get(), target.base.c_str(), *parent, name.base.c_str(), 0) != 0)
    return failed("make-hardlink", name.path());
  return Ok{};
}

Result<Ok> TreeWriter::node(const EntryName& name, mode_t type, dev_t device, const Metadata& metadata) {
  auto parent = parent_of(name);
  if (!parent) return std::move(parent.error());
  if (mknodat(*parent, name.base.c_str(), type | 0600, device) != 0) {
    if (errno != EEXIST) return failed("make-node", name.path());
    EDGEPOD_TRY(replace(*parent, name));
    if (mknodat(*parent, name.base.c_str(), type | 0600, device) != 0)
      return failed("make-node", name.path());
  }
  return set_metadata_at(*parent, name, metadata, false);
}

// Hides the lower layers' entry only: one that this layer brought itself stays (OCI image-spec layer.md).
Result<Ok> TreeWriter::whiteout(const EntryName& name) {
  auto parent = parent_of(name);
  if (!parent) return std::move(parent.error());
  if (mknodat(*parent, name.base.c_str(), S_IFCHR, makedev(0, 0)) == 0) return Ok{};
  if (errno != EEXIST) return failed("make-whiteout", name.path());
  UniqueFd dir(openat(*parent, name.base.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (dir) return set_opaque(dir.get(), name.path());
  return Ok{};
}

Result<Ok> TreeWriter::opaque(const EntryName& name) {
  if (name.parent.empty()) {
    opaque_root_ = true;
    return Ok{};
  }
  auto parent = parent_of(name);  // O_PATH: attributes need a descriptor that is really open
  if (!parent) return std::move(parent.error());
  UniqueFd fd(openat(*parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return failed("set-opaque", name.parent);
  return set_opaque(fd.get(), name.parent);
}

Result<Ok> TreeWriter::set_opaque(int dir_fd, const std::string& path) {
  if (fsetxattr(dir_fd, kOpaqueXattr, "y", 1, 0) != 0) return failed("set-opaque", path);
  return Ok{};
}

Result<Ok> TreeWriter::finish() {
  cached_.reset();
  for (auto it = directory_times_.rbegin(); it != directory_times_.rend(); ++it) {
    const auto& [name, mtime] = *it;
    const timespec times[2] = {mtime, mtime};
    if (name.kind == NameKind::Root) {
      if (futimens(root_, times) != 0) return failed("set-times", ".");
      continue;
    }
    auto parent = open_in_root(root_, name.parent, O_PATH | O_DIRECTORY);
    // A later entry may have taken its place: then there is nothing to do.
    if (parent) (void)utimensat(parent->get(), name.base.c_str(), times, AT_SYMLINK_NOFOLLOW);
  }
  return Ok{};
}

Result<Ok> TreeWriter::set_metadata(int fd, const std::string& path, const Metadata& metadata) {
  if (fchown(fd, metadata.uid, metadata.gid) != 0) return failed("set-owner", path);
  EDGEPOD_TRY(set_xattrs(fd, nullptr, path, metadata));
  if (fchmod(fd, metadata.mode) != 0) return failed("set-mode", path);
  return Ok{};
}

// For what cannot be opened without side effects: links, FIFOs, devices.
Result<Ok> TreeWriter::set_metadata_at(int parent, const EntryName& name, const Metadata& metadata,
                                       bool is_link) {
  const char* base = name.base.c_str();
  if (fchownat(parent, base, metadata.uid, metadata.gid, AT_SYMLINK_NOFOLLOW) != 0)
    return failed("set-owner", name.path());
  if (!metadata.xattrs.empty()) {
    // There is no lsetxattrat before Linux 6.13: relative to the working directory, which this program may
    // change.
    UniqueFd dir(openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir || fchdir(dir.get()) != 0) return failed("set-xattr", name.path());
    EDGEPOD_TRY(set_xattrs(-1, base, name.path(), metadata));
  }
  // The node was made by us a moment ago and nobody else can reach the directory, so it is no link to follow.
  if (!is_link && fchmodat(parent, base, metadata.mode, 0) != 0) return failed("set-mode", name.path());
  const timespec times[2] = {metadata.mtime, metadata.mtime};
  if (utimensat(parent, base, times, AT_SYMLINK_NOFOLLOW) != 0) return failed("set-times", name.path());
  return Ok{};
}

// On `fd`, or on `base` in the working directory.
Result<Ok> TreeWriter::set_xattrs(int fd, const char* base, const std::string& path,
                                  const Metadata& metadata) {
  for (const auto& [key, value] : metadata.xattrs) {
    if (!may_set(key)) {
      xattrs_dropped_++;
      continue;
    }
    const int status = base ? lsetxattr(base, key.c_str(), value.data(), value.size(), 0)
                            : fsetxattr(fd, key.c_str(), value.data(), value.size(), 0);
    if (status == 0) continue;
    // The kernel has no user.* on links and nodes, and some file systems have none at all.
    if (key.starts_with("user.") &&
        (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSPC || errno == ERANGE)) {
      xattrs_dropped_++;
      continue;
    }
    return failed("set-xattr", path);
  }
  return Ok{};
}

}  // namespace edgepod
