// Capabilities of the process that is about to become a container's.
#pragma once

#include <cstdint>

#include "lib/result.h"
#include "lib/spec.h"

namespace edgepod {

// Drops everything outside `bounding` from the bounding set; needs CAP_SETPCAP, so call it before changing
// user.
Result<Ok> drop_bounding(uint64_t bounding);

// Sets effective, permitted and ambient. Only what this process holds can be given: on a host where root
// lacks a capability, "all" means all there are. Error step "capabilities".
Result<Ok> set_capabilities(const CapabilitySets& sets);

}  // namespace edgepod
