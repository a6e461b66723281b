// Pipes for the output of a contained process.
#pragma once

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct OutputPipe {
  UniqueFd read;   // ours: non-blocking
  UniqueFd write;  // the process's: blocking, as every program expects of its standard output
};

// Both ends close-on-exec. Error step "stdio".
Result<OutputPipe> open_output_pipe();

}  // namespace edgepod
