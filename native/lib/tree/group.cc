#include "lib/tree/group.h"

#include <unistd.h>

#include "lib/path_in_root.h"
#include "lib/sys.h"
#include "lib/tree/walk.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "volume-group";
constexpr uid_t kSameOwner = static_cast<uid_t>(-1);

mode_t wanted_mode(const struct stat& st) {
  mode_t const mode = (st.st_mode & 07777) | 0660;
  return S_ISDIR(st.st_mode) ? mode | S_ISGID | 0110 : mode;
}

bool as_wanted(const std::string& path, gid_t group) {
  struct stat st;
  return lstat(path.c_str(), &st) == 0 && st.st_gid == group && (st.st_mode & 07777) == wanted_mode(st);
}

// By descriptor throughout: a container may exchange the name for a link to anything at any time.
Result<Ok> give(int fd, const struct stat& st, gid_t group) {
  if (st.st_gid != group && fchownat(fd, "", kSameOwner, group, AT_EMPTY_PATH) < 0)
    return errno_error(kStep, "chown");
  mode_t const mode = wanted_mode(st);
  if (S_ISLNK(st.st_mode) || (st.st_mode & 07777) == mode) return Ok{};
  // fchmod refuses O_PATH descriptors; the magic link leads to the very object.
  if (chmod(FdPath(fd).text, mode) < 0) return errno_error(kStep, "chmod");
  return Ok{};
}

}  // namespace

Result<Ok> set_tree_group(const std::string& path, gid_t group, bool only_on_mismatch) {
  if (only_on_mismatch && as_wanted(path, group)) return Ok{};
  auto visit = [group](int fd, const struct stat& st) { return give(fd, st, group); };
  TreeWalk<decltype(visit)> walk(kStep, visit);
  return walk.run(path);
}

}  // namespace edgepod
