// Keeps containers away from the runner's own executable (CVE-2019-5736: a container that gets hold of
// /proc/<runner>/exe, for example by an entry point "#!/proc/self/exe", overwrites the host's binary).
#pragma once

#include "lib/result.h"

namespace edgepod {

// Runs this program again from a place nobody can write to, unless it already is: a detached read-only copy
// of the mount the file is on (no memory, nothing visible on the host; 5.12), else a sealed copy in memory.
// Call first thing in main(), before starting any container; returns in the second run. Error step
// "seal-executable".
Result<Ok> seal_executable(char** argv);

}  // namespace edgepod
