// Reads one small kernel file (cgroupfs, procfs) into a caller's buffer.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>

#include "lib/fd.h"

namespace edgepod {

// The first `capacity` bytes of `path` under `dir`, empty if it cannot be read. These files hand out a whole
// snapshot per read(2), so one read is both enough and consistent.
inline std::string_view read_small(int dir, const char* path, char* buffer, size_t capacity) {
  UniqueFd const fd(openat(dir, path, O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  ssize_t const size = read(fd.get(), buffer, capacity);
  return size > 0 ? std::string_view(buffer, static_cast<size_t>(size)) : std::string_view();
}

// The same for files made of many records (/proc/net/dev), which the kernel hands out about a page at a time.
inline std::string_view read_records(int dir, const char* path, char* buffer, size_t capacity) {
  UniqueFd const fd(openat(dir, path, O_RDONLY | O_CLOEXEC));
  size_t used = 0;
  while (fd && used < capacity) {
    ssize_t const size = read(fd.get(), buffer + used, capacity - used);
    if (size <= 0) break;
    used += static_cast<size_t>(size);
  }
  return std::string_view(buffer, used);
}

}  // namespace edgepod
