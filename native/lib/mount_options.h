// OCI mount options as attributes of the new mount API.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/result.h"

namespace edgepod {

struct MountOptions {
  bool bind = false, recursive = false;
  bool id_mapped = false;       // "idmap": owners are seen through the pod's user namespace
  uint64_t set = 0, clear = 0;  // MOUNT_ATTR_*, this mount
  uint64_t recursive_set = 0,
           recursive_clear = 0;              // MOUNT_ATTR_*, with everything below ("rro", "rnosuid", …)
  bool recursive_readonly_optional = false;  // "x-edgepod.rro-if-possible": "rro" where the kernel has it
  uint64_t propagation = 0;                  // MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE or 0
  bool propagation_recursive = false;
  std::string subpath;  // "x-edgepod.subpath=REL": bind this below the source
  std::vector<std::pair<std::string, std::string>> data;  // for the file system, in order; value "" = flag
};

// `is_bind`: the mount has type "bind"; then data that no file system would ever see is refused.
// Error step "mount-options".
Result<MountOptions> parse_mount_options(const std::vector<std::string>& options, bool is_bind);

// The same attributes as MS_* flags of mount(2).
uint64_t mount_flags(uint64_t attributes);

}  // namespace edgepod
