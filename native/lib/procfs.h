// Writes to procfs that an attacker must not be able to redirect.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

// A procfs instance nobody else can mount over: a private one (5.2), else the host's, verified to be the root
// of a procfs. Writing through it is what stops CVE-2019-16884 and CVE-2025-52881 (a fake or a different,
// dangerous file behind a /proc path). Error step "open-proc".
Result<UniqueFd> open_private_proc();

// Writes `value` to a file below a descriptor from open_private_proc, following no link and crossing no
// mount.
Result<Ok> write_proc(int proc_fd, const char* path, std::string_view value, const char* step);

// Which namespace a sysctl belongs to (CLONE_NEW*), or 0 when it is the whole machine's. `name` with dots or
// slashes.
int sysctl_namespace(std::string_view name);

// Writes sysctls. Refused: one of a namespace that is not in `own_namespaces` (it would be the host's), a
// name with
// "..", a value with line breaks (CVE-2022-0811). Error step "sysctl".
Result<Ok> write_sysctls(const std::vector<std::pair<std::string, std::string>>& sysctls, int own_namespaces);

}  // namespace edgepod
