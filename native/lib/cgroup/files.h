// Reading and writing cgroup interface files below a directory fd. Values are small and are written with one
// write(2), as the kernel requires. The kernel makes no symlinks in cgroup file systems and users cannot, so
// a relative path below a root fd stays there as long as it has no ".." (checked by check_cgroup_path).
#pragma once

#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

// Writes `value` to `dir`/`file`. Returns 0 or the errno.
int write_cgroup_file(int dir_fd, const std::string& file, std::string_view value);

// Appends the content (at most 64 KiB) of `dir`/`file` to `out`. Returns 0 or the errno.
int read_cgroup_file(int dir_fd, const std::string& file, std::string& out);

// The number after `key` in a flat keyed file ("oom_kill 3\n…"); 0 if absent.
uint64_t flat_keyed_value(std::string_view content, std::string_view key);

// The path without leading and trailing slashes, or EINVAL: empty, ".", "..", empty or over-long components,
// control characters. Protects every later openat from leaving the hierarchy.
Result<std::string> check_cgroup_path(std::string_view path);

}  // namespace edgepod
