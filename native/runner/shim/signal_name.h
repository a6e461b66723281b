// Signal names as the Pod API and OCI write them.
#pragma once

#include <optional>
#include <string_view>

namespace edgepod {

// "SIGTERM", "TERM", "SIGRTMIN+3" or a decimal number; empty if it is no signal (0 is none).
std::optional<int> signal_number(std::string_view name);

}  // namespace edgepod
