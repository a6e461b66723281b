#include "runner/shim/pipes.h"

#include <fcntl.h>
#include <unistd.h>

namespace edgepod {

Result<OutputPipe> open_output_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return errno_error("stdio", "pipe");
  OutputPipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  // The two ends are two open files: the flag on ours leaves the container's alone.
  if (fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("stdio", "pipe");
  return pipe;
}

Result<UniqueFd> open_input(bool stay_open, UniqueFd& held) {
  if (!stay_open) {
    UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) return errno_error("stdio", "/dev/null");
    return null;
  }
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return errno_error("stdio", "pipe");
  held = UniqueFd(fds[1]);
  return UniqueFd(fds[0]);
}

}  // namespace edgepod
