// The standard streams of a contained process.
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

// What the process reads: nothing at all; or, to stay open, a pipe that ends when `held` is closed and in
// which nobody writes. Close-on-exec. Error step "stdio".
Result<UniqueFd> open_input(bool stay_open, UniqueFd& held);

}  // namespace edgepod
