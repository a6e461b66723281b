// What the unpacker gives up before it looks at the first untrusted byte.
#pragma once

#include <cstdint>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

// Dies when the process that started us dies, so that nobody unpacks on behalf of a loader that was killed.
Result<Ok> die_with_parent();

// Opens `directory` and leaves everything else behind: afterwards the process sees a file system with nothing
// in it but that directory (nosuid, nodev, noexec), holds only the capabilities to write a tree with foreign
// owners, and can make only the system calls that needs. Files are limited to `max_file` bytes. Returns the
// directory. Needs CAP_SYS_ADMIN. Error steps: "open-target", "confine".
Result<UniqueFd> confine_to(const char* directory, uint64_t max_file);

// The same with nothing to write to: for commands that only read descriptors they already hold.
Result<Ok> confine_readonly();

// The system-call filter, last: deny by default (EPERM).
Result<Ok> filter_system_calls();

}  // namespace edgepod
