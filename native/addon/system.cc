// Small things Node has no function for: sdNotify(state) · lockFile(path) → fd | -1 · pipe() → [fd, fd] ·
// probeKernel() · runsArm32() → promise · releaseMemory() → promise.
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <cstring>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/task.h"
#include "lib/arm32.h"
#include "lib/fd.h"
#include "lib/unused_memory.h"

namespace edgepod {

namespace {

// true if systemd was told; false if nobody listens (no NOTIFY_SOCKET). See sd_notify(3) for states.
Napi::Value sd_notify_js(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  auto state = string_argument(info, 0, "state");
  if (!state) return env.Undefined();
  const char* path = getenv("NOTIFY_SOCKET");
  if (path == nullptr || path[0] == '\0') return Napi::Boolean::New(env, false);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  size_t const length = strlen(path);
  if (length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
    return throw_error(env, input_error("sd-notify", path));
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract socket
  UniqueFd const fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (!fd || sendto(fd.get(), state->data(), state->size(), MSG_NOSIGNAL,
                    reinterpret_cast<sockaddr*>(&address), size) < 0)
    return throw_error(env, errno_error("sd-notify", path));
  return Napi::Boolean::New(env, true);
}

// The lock lives as long as the descriptor: it cannot be left behind by a crash, unlike a pid file.
Napi::Value lock_file_js(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  auto path = string_argument(info, 0, "path");
  if (!path) return env.Undefined();
  UniqueFd fd(open(path->c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return throw_error(env, errno_error("lock", *path));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return Napi::Number::New(env, fd.release());
  if (errno == EWOULDBLOCK) return Napi::Number::New(env, -1);
  return throw_error(env, errno_error("lock", *path));
}

// Both ends blocking, as a program expects of its standard streams; libuv changes only the end it is given.
Napi::Value pipe_js(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return throw_error(env, errno_error("pipe", ""));
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, Napi::Number::New(env, ends[0]));
  pair.Set(1u, Napi::Number::New(env, ends[1]));
  return pair;
}

bool has_syscall(long number, long a, long b, long c, long d) {
  // Arguments that no kernel accepts: nothing happens but the answer, and ENOSYS only comes from a missing
  // call.
  return syscall(number, a, b, c, d) >= 0 || errno != ENOSYS;
}

bool has_filesystem(const char* name) {
  // Also loads the module, where one exists; the context is dropped again. Linux 5.2.
  UniqueFd const context(static_cast<int>(syscall(SYS_fsopen, name, 1 /* FSOPEN_CLOEXEC */)));
  return static_cast<bool>(context);
}

Napi::Value probe_js(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("pageSize", Napi::Number::New(env, static_cast<double>(sysconf(_SC_PAGESIZE))));
  result.Set("clone3", Napi::Boolean::New(env, has_syscall(SYS_clone3, 0, 0, 0, 0)));
  result.Set("openat2", Napi::Boolean::New(env, has_syscall(SYS_openat2, -1, 0, 0, 0)));
  result.Set("pidfd", Napi::Boolean::New(env, has_syscall(SYS_pidfd_open, -1, 0, 0, 0)));
  result.Set("mountSetattr", Napi::Boolean::New(env, has_syscall(SYS_mount_setattr, -1, 0, 0, 0)));
  result.Set("overlay", Napi::Boolean::New(env, has_filesystem("overlay")));
  // EFAULT: the kernel knows filters and looked for ours at NULL. EINVAL: built without them.
  bool const seccomp = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0) != 0 && errno == EFAULT;
  result.Set("seccomp", Napi::Boolean::New(env, seccomp));
  return result;
}

class Arm32Task : public Task {
 public:
  Result<Ok> run() override {
    runs_ = runs_arm32_programs();
    return Ok{};
  }
  Napi::Value value(Napi::Env env) override { return Napi::Boolean::New(env, runs_); }

 private:
  bool runs_ = false;
};

Napi::Value runs_arm32_js(const Napi::CallbackInfo& info) {
  return start_task(info.Env(), std::make_unique<Arm32Task>());
}

class ReleaseMemoryTask : public Task {
 public:
  Result<Ok> run() override {
    release_unused_memory(Mapped::WithLibraries);
    return Ok{};
  }
  Napi::Value value(Napi::Env env) override { return env.Undefined(); }
};

Napi::Value release_memory_js(const Napi::CallbackInfo& info) {
  return start_task(info.Env(), std::make_unique<ReleaseMemoryTask>());
}

}  // namespace

void export_system(Napi::Env env, Napi::Object exports) {
  exports.Set("sdNotify", Napi::Function::New(env, sd_notify_js, "sdNotify"));
  exports.Set("lockFile", Napi::Function::New(env, lock_file_js, "lockFile"));
  exports.Set("pipe", Napi::Function::New(env, pipe_js, "pipe"));
  exports.Set("probeKernel", Napi::Function::New(env, probe_js, "probeKernel"));
  exports.Set("runsArm32", Napi::Function::New(env, runs_arm32_js, "runsArm32"));
  exports.Set("releaseMemory", Napi::Function::New(env, release_memory_js, "releaseMemory"));
}

}  // namespace edgepod
