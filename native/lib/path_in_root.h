// The only place that resolves paths inside a container's root. Whatever links an image or a volume contains,
// a result is never outside of `root_fd`, and magic links of procfs are never followed.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

enum class Links { Follow, Refuse };

// "/a/./b/../c" -> "/a/c". Purely lexical; the result is absolute and never climbs above "/".
std::string clean_path(std::string_view path);

// Opens `path` as a process chrooted to `root_fd` would. Error step "resolve-path"; ELOOP for a refused link.
// `flags` without O_CREAT. Uses openat2 (5.6), else walk_in_root.
Result<UniqueFd> open_in_root(int root_fd, std::string_view path, int flags, Links links = Links::Follow);

// The user-space resolver behind open_in_root, for kernels without openat2.
Result<UniqueFd> walk_in_root(int root_fd, std::string_view path, int flags, Links links);

// Opens a directory (O_PATH) and makes it and its parents where missing. A dangling link is refused.
Result<UniqueFd> make_dir_in_root(int root_fd, std::string_view path, mode_t mode = 0755,
                                  Links links = Links::Follow);

// Opens whatever is at `path` (O_PATH); makes an empty regular file, and its parents, where nothing is.
Result<UniqueFd> make_file_in_root(int root_fd, std::string_view path, mode_t mode = 0644);

}  // namespace edgepod
