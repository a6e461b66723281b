// DIR/shim.sock: where the agent finds the shim. A path, never an abstract name, which every container with
// the host's network could reach (CVE-2020-15257); mode 0600; root only.
#pragma once

#include "lib/fd.h"
#include "lib/result.h"
#include "runner/shim/poller.h"

namespace edgepod {

// Binds and listens on "shim.sock" in the current directory, replacing a stale socket.
Result<UniqueFd> listen_control_socket();

// The next connection whose other end runs as root or as this process's user; others are closed at once.
// Empty with errno EAGAIN if there is none; empty with another errno if the process is out of resources.
UniqueFd accept_control(int listening);

}  // namespace edgepod
