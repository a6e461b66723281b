// Whether this machine runs 32-bit ARM programs. Many 64-bit processors do (Cortex-A53 to A76), the newer and
// the server ones do not, and a kernel can be built without; no file says so reliably.
#pragma once

#include <array>

namespace edgepod {

// The exit status of the program that is tried.
constexpr int kArm32Status = 42;

// The smallest such program: does nothing but exit with kArm32Status. Loads with pages of 4, 16 and 64 KiB.
std::array<unsigned char, 96> arm32_program();

// Runs it. False where that cannot be found out: an image refused with a reason is better than one that
// cannot start. Any thread may ask.
bool runs_arm32_programs();

}  // namespace edgepod
