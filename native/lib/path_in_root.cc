#include "lib/path_in_root.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <vector>

#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "resolve-path";

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> out;
  for (size_t at = 0; at < path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    if (slash > at) out.emplace_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return out;
}

// EAGAIN means that somebody renamed something under the kernel's feet: an attacker can do that for ever.
constexpr int kMaxRaces = 64;

}  // namespace

std::string clean_path(std::string_view path) {
  std::vector<std::string> kept;
  for (std::string& part : components(path)) {
    if (part == ".") continue;
    if (part != "..") {
      kept.push_back(std::move(part));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string& part : kept) out += "/" + part;
  return out.empty() ? "/" : out;
}

Result<UniqueFd> open_in_root(int root_fd, std::string_view path, int flags, Links links) {
  const std::string text(path.empty() ? "." : path);
  // RESOLVE_IN_ROOT stops every symlink and ".." escape (CVE-2019-19921, CVE-2021-30465, CVE-2024-45310);
  // RESOLVE_NO_MAGICLINKS stops /proc/self/fd/N and /proc/self/root (CVE-2024-21626).
  const uint64_t resolve =
      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (links == Links::Refuse ? RESOLVE_NO_SYMLINKS : 0);
  for (int i = 0; i < kMaxRaces; i++) {
    const int fd = sys_openat2(root_fd, text.c_str(), static_cast<uint64_t>(flags) | O_CLOEXEC, 0, resolve);
    if (fd >= 0) return UniqueFd(fd);
    if (errno == ENOSYS || errno == EPERM) return walk_in_root(root_fd, path, flags, links);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return errno_error(kStep, text);
}

Result<UniqueFd> make_dir_in_root(int root_fd, std::string_view path, mode_t mode, Links links) {
  const std::string whole = clean_path(path);
  auto fd = open_in_root(root_fd, whole, O_PATH | O_DIRECTORY, links);
  if (fd || fd.error().err != ENOENT) return fd;
  UniqueFd parent(fcntl(root_fd, F_DUPFD_CLOEXEC, 3));
  if (!parent) return errno_error(kStep, whole);
  std::string prefix;
  for (const std::string& part : components(whole)) {
    prefix += "/" + part;
    // From the root each time, not from `parent`: a link in the path is relative to the container's root.
    auto next = open_in_root(root_fd, prefix, O_PATH | O_DIRECTORY, links);
    if (!next && next.error().err == ENOENT) {
      if (mkdirat(parent.get(), part.c_str(), mode) < 0 && errno != EEXIST) return errno_error(kStep, prefix);
      // Still missing after mkdir said EEXIST: a dangling link. Making its target is what CVE-2024-45310 was.
      next = open_in_root(root_fd, prefix, O_PATH | O_DIRECTORY, links);
      if (!next) return Error{kStep, next.error().err, prefix + " is a dangling link"};
    }
    if (!next) return next;
    parent = std::move(*next);
  }
  return parent;
}

Result<UniqueFd> make_file_in_root(int root_fd, std::string_view path, mode_t mode) {
  const std::string whole = clean_path(path);
  auto fd = open_in_root(root_fd, whole, O_PATH);
  if (fd || fd.error().err != ENOENT) return fd;
  const size_t slash = whole.rfind('/');
  auto parent = make_dir_in_root(root_fd, whole.substr(0, slash));
  if (!parent) return parent;
  const char* name = whole.c_str() + slash + 1;
  // O_EXCL never follows a link in the last component, dangling or not.
  UniqueFd file(openat(parent->get(), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return errno_error(kStep, errno == EEXIST ? whole + " is a dangling link" : whole);
  UniqueFd opened(openat(parent->get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) return errno_error(kStep, whole);
  return opened;
}

}  // namespace edgepod
