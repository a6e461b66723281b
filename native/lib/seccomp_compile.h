// OCI `linux.seccomp` to classic BPF by libseccomp. Internal to lib/seccomp.
#pragma once

#include <string>

#include "lib/json.h"
#include "lib/result.h"
#include "lib/seccomp.h"

namespace edgepod {

// Compiles without any cache. Errors as seccomp_program().
Result<SeccompProgram> compile_seccomp(const JsonValue& profile);

// "2.5.4": part of the cache key.
std::string libseccomp_version();

}  // namespace edgepod
