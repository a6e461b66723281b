#include "lib/tree/usage.h"

#include <unordered_set>

#include "lib/tree/walk.h"

namespace edgepod {
namespace {

// Files with several names are remembered, so that they count once; of so many at most, since a container can
// make as many as there are inodes. Each further name then counts for its share of the file: exact too,
// unless there are names elsewhere.
constexpr size_t kMaxRemembered = 1 << 14;

}  // namespace

Result<TreeUsage> tree_usage(const std::string& path) {
  double bytes = 0, inodes = 0;
  std::unordered_set<ino_t> linked;  // one file system: the inode number is enough
  auto count = [&](int, const struct stat& st) -> Result<Ok> {
    double share = 1;
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
      if (linked.contains(st.st_ino)) return Ok{};
      if (linked.size() < kMaxRemembered) {
        linked.insert(st.st_ino);
      } else {
        share = 1.0 / static_cast<double>(st.st_nlink);
      }
    }
    bytes += static_cast<double>(st.st_blocks) * 512 * share;
    inodes += share;
    return Ok{};
  };
  TreeWalk<decltype(count)> walk("tree-usage", count);
  EDGEPOD_TRY(walk.run(path));
  return TreeUsage{static_cast<uint64_t>(bytes + 0.5), static_cast<uint64_t>(inodes + 0.5)};
}

}  // namespace edgepod
