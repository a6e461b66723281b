#include "lib/log/log_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "lib/log/timestamp.h"
#include "lib/tree/directory.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "log-open";
// <pod>/<container>/<n>.log: from here on no symbolic link is followed.
constexpr int kOwnComponents = 3;

// The start of the last `count` components of `path`.
size_t tail_start(std::string_view path, int count) {
  size_t at = path.size();
  for (int i = 0; i < count && at != 0; i++) {
    at = path.rfind('/', at - 1);
    if (at == std::string_view::npos) return 0;
  }
  return at;
}

Result<UniqueFd> enter_dir(int parent, const std::string& name, int link_flags) {
  for (int attempt = 0; attempt < 2; attempt++) {
    UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | link_flags));
    if (fd) return fd;
    if (errno != ENOENT || attempt != 0) break;
    if (mkdirat(parent, name.c_str(), 0750) != 0) {
      if (errno != EEXIST) return errno_error(kStep, "mkdir " + name);
      continue;
    }
    // The umask of a daemon is tight; log collectors read through the group.
    if (fchmodat(parent, name.c_str(), 0750, 0) != 0) return errno_error(kStep, "chmod " + name);
  }
  return errno_error(kStep, "directory " + name);
}

bool plain_component(std::string_view name) { return !name.empty() && name != "." && name != ".."; }

}  // namespace

Result<LogLocation> open_log_dir(std::string_view path) {
  if (path.size() < 2 || path.size() > 4000 || path[0] != '/' || path.find('\0') != std::string_view::npos)
    return input_error(kStep, "log path is not absolute");
  size_t own = tail_start(path, kOwnComponents);
  UniqueFd dir(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return errno_error(kStep, "/");
  size_t at = 1;
  while (true) {
    size_t slash = path.find('/', at);
    std::string name(path.substr(at, slash == std::string_view::npos ? slash : slash - at));
    if (!plain_component(name)) return input_error(kStep, "log path has an empty or dotted component");
    if (slash == std::string_view::npos) return LogLocation{std::move(dir), std::move(name)};
    auto next = enter_dir(dir.get(), name, at > own ? O_NOFOLLOW : 0);
    if (!next) return std::move(next.error());
    dir = std::move(*next);
    at = slash + 1;
  }
}

namespace {

bool is_rotated(const char* entry, const std::string& name) {
  size_t length = strlen(entry);
  return length >= name.size() + 1 + kRotationStampSize && entry[name.size()] == '.' &&
         memcmp(entry, name.data(), name.size()) == 0 && entry[name.size() + 1 + 8] == '-';
}

// One pass over the directory: the number of rotated files and the name that sorts first.
unsigned oldest_rotated(int dir, const std::string& name, std::string* oldest) {
  Directory listing{UniqueFd(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))};
  unsigned count = 0;
  while (const char* entry = listing.next()) {
    if (!is_rotated(entry, name)) continue;
    if (count++ == 0 || entry < *oldest) *oldest = entry;
  }
  return count;
}

}  // namespace

void prune_rotated(int dir, const std::string& name, unsigned keep) {
  std::string oldest;
  while (oldest_rotated(dir, name, &oldest) > keep) {
    if (unlinkat(dir, oldest.c_str(), 0) != 0) return;
  }
}

}  // namespace edgepod
