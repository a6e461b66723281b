// Sysctls of a pod: only those that belong to one of its own namespaces, never the machine's.
#pragma once

#include <string_view>

#include "lib/result.h"

namespace edgepod {

// Refuses (EPERM) a name that is not namespaced or whose namespace is not among `own_namespaces`
// (CLONE_NEW*), and (EINVAL) a name or value with characters that could reach another file or setting
// (CVE-2022-0811).
Result<Ok> check_sysctl(std::string_view name, std::string_view value, int own_namespaces);

}  // namespace edgepod
