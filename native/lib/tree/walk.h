// Walks a directory tree that a container may be changing at this moment: every object is opened below its
// directory's descriptor without following links, and the walk stays on one file system. Without recursion:
// how deep a tree is, a container decides, and threads of the addon have small stacks.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/tree/directory.h"

namespace edgepod {

// Directories inside each other. Each open one takes a descriptor; nobody but an attacker goes deeper.
inline constexpr size_t kMaxTreeDepth = 512;

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
    EDGEPOD_TRY(meet(root.get(), st, path.c_str()));
    while (!open_.empty()) {
      Directory& directory = *open_.back();
      const char* name = directory.next();
      if (!name) {
        open_.pop_back();
      } else {
        EDGEPOD_TRY(enter(directory.fd(), name));
      }
    }
    return Ok{};
  }

 private:
  Result<Ok> enter(int dirfd, const char* name) {
    UniqueFd fd(openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat st;
    if (!fd || fstat(fd.get(), &st) < 0) {
      if (errno == ENOENT) return Ok{};
      return errno_error(step_, name);
    }
    if (st.st_dev != device_) return Ok{};
    return meet(fd.get(), st, name);
  }

  Result<Ok> meet(int fd, const struct stat& st, const char* name) {
    EDGEPOD_TRY(visit_(fd, st));
    if (!S_ISDIR(st.st_mode)) return Ok{};
    if (open_.size() >= kMaxTreeDepth)
      return Error{step_, E2BIG, "more than 512 directories inside each other"};
    UniqueFd listing(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // Removed since it was looked at. Taken for an error, it would say that the whole tree is not there.
    if (!listing && errno == ENOENT) return Ok{};
    if (!listing) return errno_error(step_, name);
    open_.push_back(std::make_unique<Directory>(std::move(listing)));
    return Ok{};
  }

  const char* step_;
  Visit visit_;
  dev_t device_ = 0;
  std::vector<std::unique_ptr<Directory>> open_;
};

}  // namespace edgepod
