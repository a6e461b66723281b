// The loopback interface of a new network namespace is down, and nobody else configures it.
#pragma once

#include "lib/result.h"

namespace edgepod {

// In the calling process's namespace. Error step "loopback".
Result<Ok> bring_loopback_up();

}  // namespace edgepod
