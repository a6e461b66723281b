#include "runner/shim/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

#include "lib/log/timestamp.h"
#include "lib/sys.h"
#include "runner/shim/infra_child.h"

namespace edgepod {
namespace {

// A step name outlives its error as a static string; those of the child arrive as bytes.
const char* known_step(const char* step) {
  for (const char* known :
       {"user-namespace", "hostname", "loopback", "sysctl", "infra-root", "infra-user", "infra-exec"}) {
    if (strcmp(step, known) == 0) return known;
  }
  return "infra";
}

// Ends of file mean that execve closed the pipe: it succeeded.
Result<Ok> wait_for_exec(int report) {
  InfraFailure failure{};
  ssize_t got;
  do {
    got = read(report, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return Ok{};
  if (got != static_cast<ssize_t>(sizeof failure)) return input_error("infra", "died during set-up", ECHILD);
  failure.step[sizeof failure.step - 1] = '\0';
  failure.detail[sizeof failure.detail - 1] = '\0';
  return Error{known_step(failure.step), failure.err, failure.detail};
}

// Gives the waiting child its users; it goes on when the pipe closes with a byte in it.
Result<UniqueFd> give_users(const SandboxConfig& config, pid_t pid, int go) {
  if (!config.own_users) return UniqueFd();
  auto users = open_user_namespace(pid);
  if (!users) return users;
  EDGEPOD_TRY(map_users(pid, config.first_user));
  EDGEPOD_TRY(write_all(go, "", 1, "user-namespace"));
  return users;
}

}  // namespace

Result<Sandbox> start_sandbox(const SandboxConfig& config, int pause, const char* pod_dir) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return errno_error("infra", "pipe");
  UniqueFd read_end(report[0]), write_end(report[1]);
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) return errno_error("infra", "pipe");
  UniqueFd go_read(go[0]), go_write(go[1]);
  auto clone = clone_process({.flags = namespace_flags(config)});
  if (!clone) return std::move(clone.error());
  if (clone->pid == 0) {
    go_write.reset();
    run_infra_child(config, pause, pod_dir, {write_end.get(), go_read.get()});
  }
  write_end.reset();
  auto users = give_users(config, clone->pid, go_write.get());
  go_write.reset();
  auto started = wait_for_exec(read_end.get());
  if (!users) started = std::move(users.error());
  if (!started) {
    (void)waitpid(clone->pid, nullptr, 0);
    return std::move(started.error());
  }
  Sandbox sandbox;
  sandbox.pid = clone->pid;
  sandbox.pidfd = std::move(clone->pidfd);
  sandbox.started_at = wall_clock();
  sandbox.user_namespace = std::move(*users);
  sandbox.first_user = config.first_user;
  return sandbox;
}

}  // namespace edgepod
