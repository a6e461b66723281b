// run(file, args, env, timeoutMs) → {exitCode, signal, stdout}: a short-lived helper program (the shim's
// foreground parent) with clean signals and no inherited descriptors. posix_spawn shares the address space
// until execve, so the cost does not grow with the agent's memory and a board with strict overcommit can
// still start pods.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/task.h"
#include "lib/fd.h"

namespace edgepod {

namespace {

constexpr size_t kOutputMax = 64 * 1024;

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

class SpawnTask : public Task {
 public:
  SpawnTask(std::vector<std::string> arguments, std::vector<std::string> environment, int64_t timeout_ms)
      : arguments_(std::move(arguments)), environment_(std::move(environment)), timeout_ms_(timeout_ms) {}

  Result<Ok> run() override {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno_error("spawn", arguments_[0]);
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    pid_t pid = -1;
    int const error = spawn(writer.get(), &pid);
    if (error != 0) return Error{"spawn", error, arguments_[0]};
    writer.reset();
    bool const in_time = read_output(pid, reader.get());
    if (!in_time) kill(pid, SIGKILL);
    int status = 0;
    // By pid, never -1: libuv's own children are not ours to reap.
    while (waitpid(pid, &status, __WALL) < 0) {
      if (errno != EINTR) return errno_error("spawn", "waitpid " + arguments_[0]);
    }
    if (!in_time) return Error{"spawn", ETIMEDOUT, arguments_[0]};
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return Ok{};
  }

  Napi::Value value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("exitCode", Napi::Number::New(env, exit_code_));
    result.Set("signal", Napi::Number::New(env, signal_));
    result.Set("stdout", Napi::String::New(env, output_));
    return result;
  }

 private:
  int spawn(int output, pid_t* pid) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    // Third-party addons may have opened descriptors without CLOEXEC; none may reach a container.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);  // Node ignores SIGPIPE, and "ignored" survives execve into every container
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    int const error = posix_spawn(pid, arguments_[0].c_str(), &actions, &attributes,
                                  pointers(arguments_).data(), pointers(environment_).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
  }

  // Until the child has ended (whoever else may hold the pipe) or the time is up: then false.
  bool read_output(pid_t pid, int reader) {
    // pidfd_open is in Linux 5.3; without it the end of the output has to do.
    UniqueFd const ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    int64_t const deadline = now_ms() + timeout_ms_;
    pollfd polled[2] = {{reader, POLLIN, 0}, {ended.get(), POLLIN, 0}};
    for (;;) {
      int64_t const left = deadline - now_ms();
      if (left <= 0) return false;
      if (poll(polled, 2, static_cast<int>(left)) < 0 && errno != EINTR) return false;
      if (polled[0].revents != 0) {
        char buffer[4096];
        ssize_t const size = read(reader, buffer, sizeof buffer);
        if (size == 0) polled[0].fd = -1;  // poll skips it from now on
        if (size > 0 && output_.size() < kOutputMax)
          output_.append(buffer, std::min(static_cast<size_t>(size), kOutputMax - output_.size()));
        if (size == 0 && !ended) return true;
      } else if (polled[1].revents != 0) {
        return true;
      }
    }
  }

  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  int64_t timeout_ms_;
  std::string output_;
  int exit_code_ = 0;
  int signal_ = 0;
};

Napi::Value run_js(const Napi::CallbackInfo& info) {
  auto file = string_argument(info, 0, "file");
  auto arguments = file ? strings_argument(info, 1, "args") : std::nullopt;
  auto environment = arguments ? strings_argument(info, 2, "env") : std::nullopt;
  auto timeout = environment ? number_argument(info, 3, "timeoutMs") : std::nullopt;
  if (!timeout) return info.Env().Undefined();
  arguments->insert(arguments->begin(), *file);
  return start_task(info.Env(), std::make_unique<SpawnTask>(std::move(*arguments), std::move(*environment),
                                                            static_cast<int64_t>(*timeout)));
}

}  // namespace

void export_spawn(Napi::Env env, Napi::Object exports) {
  exports.Set("run", Napi::Function::New(env, run_js, "run"));
}

}  // namespace edgepod
