#include "runner/shim/foreground.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "lib/sys.h"
#include "runner/shim/messages.h"

namespace edgepod {
namespace {

constexpr char kBorn = '.';
constexpr char kStarted = '+';

std::string error_line(const Error& error) {
  JsonText json;
  put_error(json, error);
  return json.finish() + '\n';
}

bool was_born(int report) {
  char byte = 0;
  ssize_t got;
  do got = read(report, &byte, 1);
  while (got < 0 && errno == EINTR);
  return got == 1 && byte == kBorn;
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

Result<Daemon> daemonize(const Cgroup& home) {
  int cgroup_fd = home.clone_fd();
  while (true) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return errno_error("daemon", "pipe");
    UniqueFd read_end(report[0]), write_end(report[1]);
    auto clone = clone_process({.cgroup_fd = cgroup_fd});
    if (!clone) return std::move(clone.error());
    if (clone->pid == 0) {
      setsid();
      (void)write_all(write_end.get(), &kBorn, 1, "report");
      return Daemon{std::move(write_end), clone->in_cgroup};
    }
    write_end.reset();
    // A child that never ran was killed by the kernel for being born in another cgroup (see
    // Cgroup::clone_fd()): the agent's own may have been killed once. Then it has to move there by itself.
    if (was_born(read_end.get()) || cgroup_fd < 0) wait_for_daemon(read_end.get(), clone->pid);
    (void)waitpid(clone->pid, nullptr, 0);
    cgroup_fd = -1;
  }
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
