// Walks a directory tree that a container may be changing at this moment: every object is opened below its
// directory's descriptor without following links, and the walk stays on one file system.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

// Directories inside each other. Each open one takes a descriptor; nobody but an attacker goes deeper.
inline constexpr int kMaxTreeDepth = 512;

template <typename Visit>
class TreeWalk {
 public:
  TreeWalk(const char* step, Visit visit) : step_(step), visit_(visit) {}

  // Calls `visit(fd, stat)` for the object at `path` and everything below, a directory before what is in it;
  // `fd` is O_PATH. Whatever vanishes meanwhile is left out. E2BIG below kMaxTreeDepth.
  Result<Ok> run(const std::string& path) {
    UniqueFd root(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat st;
    if (!root || fstat(root.get(), &st) < 0) return errno_error(step_, path);
    device_ = st.st_dev;
    return descend(root.get(), st, 0);
  }

 private:
  Result<Ok> descend(int fd, const struct stat& st, int depth) {
    EDGEPOD_TRY(visit_(fd, st));
    if (!S_ISDIR(st.st_mode)) return Ok{};
    if (depth >= kMaxTreeDepth) return Error{step_, E2BIG, "more than 512 directories inside each other"};
    int const listing = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (listing < 0) return errno_error(step_, "");
    DIR* dir = fdopendir(listing);
    if (!dir) {
      close(listing);
      return errno_error(step_, "");
    }
    Result<Ok> result = Ok{};
    while (const dirent* entry = readdir(dir)) {
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
      result = enter(listing, entry->d_name, depth + 1);
      if (!result) break;
    }
    closedir(dir);
    return result;
  }

  Result<Ok> enter(int dirfd, const char* name, int depth) {
    UniqueFd fd(openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat st;
    if (!fd || fstat(fd.get(), &st) < 0) {
      if (errno == ENOENT) return Ok{};
      return errno_error(step_, name);
    }
    if (st.st_dev != device_) return Ok{};
    return descend(fd.get(), st, depth);
  }

  const char* step_;
  Visit visit_;
  dev_t device_ = 0;
};

}  // namespace edgepod
