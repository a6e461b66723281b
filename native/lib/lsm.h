// Linux security modules.
#pragma once

#include <string>

#include "lib/result.h"

namespace edgepod {

// The next execve of this process enters an AppArmor profile. Fails on a kernel without AppArmor, rather than
// starting something unconfined that was asked to be confined. Empty: nothing to do. Error step "apparmor".
Result<Ok> set_apparmor_profile(const std::string& profile);

}  // namespace edgepod
