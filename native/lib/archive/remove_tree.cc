#include "lib/archive/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "lib/archive/entry_name.h"
#include "lib/fd.h"

namespace edgepod {
namespace {

// One descriptor a level. What lies deeper is moved up next to the top and removed from there.
constexpr int kMaxDepth = 32;

struct Removal {
  int top;             // the directory that holds the tree
  unsigned moved = 0;  // names given to subtrees moved up
  std::string prefix;  // of those names
};

Error failed(const char* name) { return errno_error("remove-tree", quoted_name(name)); }

Result<Ok> remove_entry(Removal& removal, int dirfd, const char* name, int depth);

Result<Ok> remove_content(Removal& removal, int fd, int depth) {
  const int listing = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  DIR* dir = listing < 0 ? nullptr : fdopendir(listing);
  if (!dir) {
    const Error error = failed(".");
    if (listing >= 0) close(listing);
    return error;
  }
  Result<Ok> result = Ok{};
  while (const dirent* entry = readdir(dir)) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    result = remove_entry(removal, fd, entry->d_name, depth + 1);
    if (!result) break;
  }
  closedir(dir);
  return result;
}

Result<Ok> remove_entry(Removal& removal, int dirfd, const char* name, int depth) {
  if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT) return Ok{};
  // Linux says EISDIR for a directory; EPERM is what POSIX has.
  if (errno != EISDIR && errno != EPERM) return failed(name);
  if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0) return Ok{};
  if (errno != ENOTEMPTY && errno != EEXIST) return failed(name);
  if (depth >= kMaxDepth) {
    const std::string up = removal.prefix + std::to_string(removal.moved++);
    if (renameat(dirfd, name, removal.top, up.c_str()) != 0) return failed(name);
    return Ok{};
  }
  UniqueFd fd(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed(name);
  EDGEPOD_TRY(remove_content(removal, fd.get(), depth));
  if (unlinkat(dirfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT) return failed(name);
  return Ok{};
}

}  // namespace

Result<Ok> remove_tree(int dirfd, const char* name) {
  Removal removal{.top = dirfd, .prefix = ".removing-" + std::to_string(getpid()) + "-"};
  EDGEPOD_TRY(remove_entry(removal, dirfd, name, 0));
  for (unsigned done = 0; done < removal.moved; done++)
    EDGEPOD_TRY(remove_entry(removal, dirfd, (removal.prefix + std::to_string(done)).c_str(), 0));
  return Ok{};
}

}  // namespace edgepod
