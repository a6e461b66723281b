// openat2(RESOLVE_IN_ROOT) in user space. The invariant that makes it safe against concurrent renames:
// `stack` holds a descriptor of every directory from the root to the current one, and ".." only ever pops it,
// so no step asks the kernel for a parent.
#include <fcntl.h>
#include <sys/stat.h>

#include <climits>
#include <deque>
#include <vector>

#include "lib/path_in_root.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "resolve-path";
constexpr int kMaxLinks = 40;      // as the kernel
constexpr size_t kMaxDepth = 512;  // descriptors held at once

// Puts the components of `path` before those still to be walked. "name/" is "name/.": only a directory will
// do.
bool prepend(std::deque<std::string>& todo, std::string_view path) {
  if (path.ends_with('/')) todo.emplace_front(".");
  size_t end = path.size();
  while (end > 0) {
    const size_t slash = path.rfind('/', end - 1);
    const size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    if (end > begin) todo.emplace_front(path.substr(begin, end - begin));
    if (slash == std::string_view::npos) break;
    end = slash;
  }
  return todo.size() <= 4096;
}

class Walk {
 public:
  Walk(int root_fd, Links links, std::string name) : links_(links), name_(std::move(name)) {
    stack_.emplace_back(fcntl(root_fd, F_DUPFD_CLOEXEC, 3));
  }

  Result<UniqueFd> run(std::string_view path, int flags) {
    if (!stack_[0]) return errno_error(kStep, name_);
    if (!prepend(todo_, path)) return input_error(kStep, name_, ENAMETOOLONG);
    while (!todo_.empty()) {
      const std::string part = std::move(todo_.front());
      todo_.pop_front();
      if (part == ".") continue;
      if (part == "..") {
        if (stack_.size() > 1) stack_.pop_back();
        continue;
      }
      if (stack_.size() >= kMaxDepth) return input_error(kStep, name_, ENAMETOOLONG);
      UniqueFd next(openat(stack_.back().get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      struct stat st;
      if (!next || fstat(next.get(), &st) < 0) return errno_error(kStep, name_);
      if (S_ISLNK(st.st_mode)) {
        EDGEPOD_TRY(follow(next.get()));
        continue;
      }
      if (todo_.empty()) return finish(std::move(next), part, st.st_mode, flags);
      if (!S_ISDIR(st.st_mode)) return input_error(kStep, name_, ENOTDIR);
      stack_.push_back(std::move(next));
    }
    return reopen_directory(flags);
  }

 private:
  Result<Ok> follow(int link) {
    // Every link of procfs is refused: from here a magic one cannot be told from a plain one.
    if (links_ == Links::Refuse || ++followed_ > kMaxLinks || on_procfs(link))
      return input_error(kStep, name_, ELOOP);
    char target[PATH_MAX];
    const ssize_t n = readlinkat(link, "", target, sizeof target);
    if (n < 0) return errno_error(kStep, name_);
    if (n == 0 || n == static_cast<ssize_t>(sizeof target)) return input_error(kStep, name_, ENAMETOOLONG);
    if (target[0] == '/') stack_.resize(1);
    if (!prepend(todo_, {target, static_cast<size_t>(n)})) return input_error(kStep, name_, ENAMETOOLONG);
    return Ok{};
  }

  Result<UniqueFd> finish(UniqueFd found, const std::string& part, mode_t mode, int flags) {
    if ((flags & O_DIRECTORY) && !S_ISDIR(mode)) return input_error(kStep, name_, ENOTDIR);
    if (flags & O_PATH) return found;
    // If the entry became a link meanwhile, O_NOFOLLOW refuses it.
    UniqueFd opened(openat(stack_.back().get(), part.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (!opened) return errno_error(kStep, name_);
    return opened;
  }

  Result<UniqueFd> reopen_directory(int flags) {
    if (flags & O_PATH) return std::move(stack_.back());
    UniqueFd opened(openat(stack_.back().get(), ".", flags | O_CLOEXEC));
    if (!opened) return errno_error(kStep, name_);
    return opened;
  }

  const Links links_;
  const std::string name_;
  std::vector<UniqueFd> stack_;
  std::deque<std::string> todo_;
  int followed_ = 0;
};

}  // namespace

Result<UniqueFd> walk_in_root(int root_fd, std::string_view path, int flags, Links links) {
  return Walk(root_fd, links, std::string(path)).run(path, flags);
}

}  // namespace edgepod
