// What a directory tree takes of the disk.
#pragma once

#include <cstdint>
#include <string>

#include "lib/result.h"

namespace edgepod {

struct TreeUsage {
  uint64_t bytes = 0;  // blocks in use, each file once however many names it has
  uint64_t inodes = 0;
};

// Error step "tree-usage": ENOENT, or E2BIG for a tree too deep to be measured.
Result<TreeUsage> tree_usage(const std::string& path);

}  // namespace edgepod
