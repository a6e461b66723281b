// Finding numbers in the kernel's text formats. Everything is a double: the figures end in a Float64Array,
// 2^53 bytes is far above any board's memory, and NaN says "the kernel did not tell".
#pragma once

#include <limits>
#include <string_view>

namespace edgepod {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The number at the start of `text` (leading blanks skipped, one decimal point allowed); "max" is infinity;
// kUnknown if there is none.
double parse_number(std::string_view text);

// The number after `key` at the start of a line, e.g. ("inactive_file", memory.stat) or ("MemTotal:",
// meminfo).
double number_after(std::string_view text, std::string_view key);

// avg10 of the `kind` ("some"/"full") line of a PSI file.
double pressure_avg10(std::string_view text, std::string_view kind);

}  // namespace edgepod
