#include "runner/shim/foreground.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "lib/sys.h"
#include "runner/shim/messages.h"

namespace edgepod {
namespace {

constexpr char kStarted = '+';

std::string error_line(const Error& error) {
  JsonText json;
  put_error(json, error);
  return json.finish() + '\n';
}

// What the daemon says is '+', or the error line to pass on. Nothing at all means that it died.
[[noreturn]] void wait_for_daemon(int report, pid_t daemon) {
  std::string said;
  char part[512];
  while (true) {
    ssize_t got = read(report, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    said.append(part, static_cast<size_t>(got));
  }
  if (!said.empty() && said[0] == kStarted) _exit(0);
  // It is ending; only when it is gone is nothing left behind.
  (void)waitpid(daemon, nullptr, 0);
  if (said.empty()) said = error_line(input_error("daemon", "the shim died while starting", ECHILD));
  (void)write_all(STDOUT_FILENO, said.data(), said.size(), "report");
  _exit(1);
}

}  // namespace

UniqueFd daemonize() {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    print_error(errno_error("daemon", "pipe"));
    _exit(1);
  }
  UniqueFd read_end(report[0]), write_end(report[1]);
  pid_t pid = fork();
  if (pid < 0) {
    print_error(errno_error("daemon", "fork"));
    _exit(1);
  }
  if (pid != 0) {
    write_end.reset();
    wait_for_daemon(read_end.get(), pid);
  }
  setsid();
  return write_end;
}

void report_started(UniqueFd report) { (void)write_all(report.get(), &kStarted, 1, "report"); }

void report_failed(UniqueFd report, const Error& error) {
  const std::string line = error_line(error);
  (void)write_all(report.get(), line.data(), line.size(), "report");
}

void print_error(const Error& error) {
  const std::string line = error_line(error);
  (void)write_all(STDOUT_FILENO, line.data(), line.size(), "report");
}

}  // namespace edgepod
