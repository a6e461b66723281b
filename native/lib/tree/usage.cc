#include "lib/tree/usage.h"

#include <unordered_set>

#include "lib/tree/walk.h"

namespace edgepod {

Result<TreeUsage> tree_usage(const std::string& path) {
  TreeUsage usage;
  std::unordered_set<ino_t> linked;  // one file system: the inode number is enough
  auto count = [&](int, const struct stat& st) -> Result<Ok> {
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !linked.insert(st.st_ino).second) return Ok{};
    usage.bytes += static_cast<uint64_t>(st.st_blocks) * 512;
    usage.inodes += 1;
    return Ok{};
  };
  TreeWalk<decltype(count)> walk("tree-usage", count);
  EDGEPOD_TRY(walk.run(path));
  return usage;
}

}  // namespace edgepod
