// DIR/exits/<name>-<attempt>.json: how a container ended, readable without a shim.
#pragma once

#include "lib/result.h"
#include "runner/shim/messages.h"

namespace edgepod {

// Writes the same object that hello shows for an ended container; appears whole or not at all.
Result<Ok> write_exit_file(int exits_dir, const ContainerView& container);

}  // namespace edgepod
