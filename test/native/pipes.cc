// The standard streams the shim gives to a process.
#include "runner/shim/pipes.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "check.h"

using namespace edgepod;

namespace {

bool is_cloexec(const UniqueFd& fd) { return (fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0; }

bool at_end(const UniqueFd& fd) {
  char byte;
  return read(fd.get(), &byte, 1) == 0;
}

// Something to read, or the end.
bool readable(const UniqueFd& fd) {
  pollfd one{fd.get(), POLLIN, 0};
  return poll(&one, 1, 0) == 1;
}

void test_empty_input() {
  UniqueFd held;
  auto in = open_input(false, held);
  if (!CHECK_OK(in)) return;
  CHECK(!held);
  CHECK(is_cloexec(*in));
  CHECK(at_end(*in));
}

void test_open_input() {
  UniqueFd held;
  auto in = open_input(true, held);
  if (!CHECK_OK(in)) return;
  CHECK(static_cast<bool>(held));
  CHECK(is_cloexec(*in) && is_cloexec(held));
  CHECK(!readable(*in));
  // A reader waits, as every program expects of its standard input.
  CHECK((fcntl(in->get(), F_GETFL) & O_NONBLOCK) == 0);
  held.reset();
  CHECK(readable(*in));
  CHECK(at_end(*in));
}

void test_output() {
  auto pipe = open_output_pipe();
  if (!CHECK_OK(pipe)) return;
  CHECK(is_cloexec(pipe->read) && is_cloexec(pipe->write));
  char byte;
  CHECK(read(pipe->read.get(), &byte, 1) == -1 && errno == EAGAIN);
  CHECK((fcntl(pipe->write.get(), F_GETFL) & O_NONBLOCK) == 0);
  CHECK_EQ(write(pipe->write.get(), "x", 1), 1);
  CHECK_EQ(read(pipe->read.get(), &byte, 1), 1);
}

}  // namespace

int main() {
  test_empty_input();
  test_open_input();
  test_output();
  return check_report();
}
