// The 32-bit ARM program that tells what a board can run. This machine need not run it: an emulator does.
#include "lib/arm32.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "check.h"
#include "lib/fd.h"

using namespace edgepod;

namespace {

std::string write_program() {
  std::string path = "/tmp/edgepod-arm32-XXXXXX";
  UniqueFd file(mkstemp(path.data()));
  const auto program = arm32_program();
  CHECK_EQ(write(file.get(), program.data(), program.size()), static_cast<ssize_t>(program.size()));
  CHECK_EQ(fchmod(file.get(), 0700), 0);
  return path;
}

int status_of(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void test_program() {
  const std::string path = write_program();
#if defined(__aarch64__)
  // What the shell finds when it tries to run the file is what we find.
  CHECK_EQ(runs_arm32_programs(), status_of(path + " 2>/dev/null") == kArm32Status);
#else
  CHECK_EQ(status_of("qemu-arm-static " + path), kArm32Status);
  CHECK(!runs_arm32_programs());
#endif
  unlink(path.c_str());
}

}  // namespace

int main() {
  test_program();
  return check_report();
}
