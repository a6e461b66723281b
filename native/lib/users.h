// Who a container's process is: numbers from the specification, or names looked up in the container's own
// files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "lib/spec.h"

namespace edgepod {

struct Identity {
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> groups;  // supplementary
  std::string home;              // from /etc/passwd; empty when unknown
};

// The identity of `spec.process`, or of the io.edgepod.user annotation when there is one; then the primary
// group is among the supplementary ones too, so that a program that changes its group does not lose what the
// group was denied (CVE-2022-36109). `want_home` looks the home directory up. Files are read below `root_fd`:
// regular files only, at most 1 MiB. Error steps "resolve-user", "run-as-non-root".
Result<Identity> resolve_identity(const Spec& spec, int root_fd, bool want_home);

// "name[:group]", both either names or numbers, against the texts of passwd and group: gid and supplementary
// groups follow from the user's entries unless a group is named. A number need not be listed.
Result<Identity> resolve_user(std::string_view wanted, std::string_view passwd, std::string_view group);

// Digits only, at most INT32_MAX; anything else is nothing, never 0.
std::optional<uint32_t> parse_id(std::string_view text);

}  // namespace edgepod
