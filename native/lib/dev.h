// The container's /dev: device nodes and the usual links, made on a descriptor of the directory.
#pragma once

#include "lib/result.h"
#include "lib/spec.h"

namespace edgepod {

// Makes the six standard devices, linux.devices, and the links fd, stdin, stdout, stderr, ptmx. Nothing is
// done when the specification binds a directory over /dev. `first_id`: the host's id of the container's root.
// Error step "make-device".
Result<Ok> populate_dev(const Spec& spec, int root_fd, uint32_t first_id);

}  // namespace edgepod
