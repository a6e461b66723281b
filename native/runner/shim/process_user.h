// Who a process of the pod is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace edgepod {

// In the pod's own ids where it has some.
struct ProcessUser {
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> groups;  // supplementary, the first 32
};

// Reads the Uid, Gid and Groups lines of a /proc/<pid>/status; `first` is the host's id of the pod's root.
ProcessUser parse_process_user(std::string_view status, uint32_t first);

// Of a child that has not been reaped: it may have ended. All zero when /proc does not say.
ProcessUser process_user(pid_t pid, uint32_t first);

}  // namespace edgepod
