// run(file, args, env, timeoutMs) → {exitCode, signal, stdout}: a short-lived helper program (the shim's
// foreground parent) with clean signals and no inherited descriptors.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
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

struct ChildSetup {
  char** arguments;
  char** environment;
  int null_fd;
  int output_fd;
  volatile int error;  // written by the child, in our memory
};

void close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0u, 0) == 0) return;  // Linux 5.9
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  for (unsigned fd = first; fd < limit.rlim_cur && fd < 65536; ++fd) close(static_cast<int>(fd));
}

// In the vfork child: system calls only, no allocation, no locks.
[[noreturn]] void exec_child(ChildSetup* setup) {
  // The kernel's own structure, zero for SIG_DFL, by system call: glibc's sigaction refuses its internal
  // signals.
  alignas(8) const unsigned char defaults[64] = {};
  for (int number = 1; number <= 64; ++number) syscall(SYS_rt_sigaction, number, defaults, nullptr, 8);
  bool const placed =
      dup2(setup->null_fd, 0) == 0 && dup2(setup->output_fd, 1) == 1 && dup2(setup->null_fd, 2) == 2;
  if (placed) {
    // Third-party addons may have opened descriptors without CLOEXEC; none may reach a container.
    close_from(3);
    const uint64_t none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
    execve(setup->arguments[0], setup->arguments, setup->environment);
  }
  setup->error = errno;
  _exit(127);
}

// A frame of its own that the parent leaves only after the child is done with it.
[[gnu::noinline]] pid_t fork_and_exec(ChildSetup* setup) {
  pid_t const pid = vfork();
  if (pid == 0) exec_child(setup);
  return pid;
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
  // vfork by hand rather than posix_spawn: glibc's leaves its two internal signals (32, 33) ignored, and
  // "ignored" survives execve into every container. The cost is the same: the address space is shared until
  // execve, so it does not grow with the agent's memory, and a board with strict overcommit can still start
  // pods.
  int spawn(int output, pid_t* pid) {
    std::vector<char*> arguments = pointers(arguments_);
    std::vector<char*> environment = pointers(environment_);
    UniqueFd const null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return errno;
    // No handler of this process may run in the child, which shares our memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ChildSetup setup = {arguments.data(), environment.data(), null.get(), output, 0};
    *pid = fork_and_exec(&setup);
    int const fork_error = *pid < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (fork_error != 0) return fork_error;
    if (setup.error != 0) waitpid(*pid, nullptr, __WALL);
    return setup.error;
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
      if (poll(polled, 2, static_cast<int>(left)) < 0) {
        if (errno == EINTR) continue;  // revents are those of the last time
        return false;
      }
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
