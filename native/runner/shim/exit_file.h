// DIR/exits/<name>-<attempt>.json: how a container ended, readable without a shim.
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/result.h"
#include "runner/shim/messages.h"

namespace edgepod {

// Writes the same object that hello shows for an ended container; appears whole or not at all.
Result<Ok> write_exit_file(int exits_dir, const ContainerView& container);

// Nobody needs it any more.
void remove_exit_file(int exits_dir, std::string_view name, uint32_t attempt);

}  // namespace edgepod
