#include "lib/error_pipe.h"

#include <fcntl.h>
#include <poll.h>

#include <cstring>

#include "lib/sys.h"

namespace edgepod {
namespace {

enum class Kind : char { Failure, Ready };

// One write below PIPE_BUF, so it arrives whole. `step` is a pointer to a string constant: the child is a
// fork that has not exec'ed, so the same constant is at the same address in the parent.
struct Message {
  const char* step;
  int err;
  Kind kind;
  unsigned short length;
  char detail[1024];
};

}  // namespace

Result<ErrorPipe> ErrorPipe::create() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return errno_error("start", "pipe2");
  ErrorPipe out;
  out.read_end.reset(fds[0]);
  out.write_end.reset(fds[1]);
  return out;
}

void report_failure(int fd, const Error& error) {
  Message message = {};
  message.step = error.step;
  message.err = error.err;
  message.kind = Kind::Failure;
  message.length = static_cast<unsigned short>(std::min(error.detail.size(), sizeof message.detail));
  memcpy(message.detail, error.detail.data(), message.length);
  (void)write_all(fd, &message, sizeof message, "report");
}

void report_ready(int fd) {
  Message message = {};
  message.kind = Kind::Ready;
  (void)write_all(fd, &message, sizeof message, "report");
}

Result<ChildOutcome> wait_for_child(int fd) {
  Message message;
  size_t have = 0;
  while (have < sizeof message) {
    const ssize_t n = read(fd, reinterpret_cast<char*>(&message) + have, sizeof message - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("start", "error pipe");
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  if (have == 0) return ChildOutcome::Executed;
  if (have != sizeof message || message.length > sizeof message.detail)
    return input_error("start", "the child sent half a message", ECHILD);
  if (message.kind == Kind::Ready) return ChildOutcome::Ready;
  return Error{message.step, message.err, std::string(message.detail, message.length)};
}

bool parent_is_gone(int fd) {
  struct pollfd poll_fd = {fd, POLLOUT, 0};
  return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLERR);
}

}  // namespace edgepod
