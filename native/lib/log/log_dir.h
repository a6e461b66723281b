// The directory a log file lives in: opened without following links a container could have planted, and
// scanned for rotated files.
#pragma once

#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct LogLocation {
  UniqueFd dir;
  std::string name;
};

// Splits `path` (absolute, no "." or "..") and opens its directory, making what is missing with mode 0750.
Result<LogLocation> open_log_dir(std::string_view path);

// Removes the oldest rotated files of `name` ("<name>.YYYYMMDD-HHMMSS", names sort by age) until at most
// `keep` are left. Errors are ignored: an old log too many must not stop a new one.
void prune_rotated(int dir, const std::string& name, unsigned keep);

}  // namespace edgepod
