#include "lib/seccomp.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "lib/fd.h"
#include "lib/seccomp_cache.h"
#include "lib/seccomp_compile.h"
#include "lib/sys.h"

namespace edgepod {

namespace {

// What the compiling child sends first. Instructions follow when err is 0 and step is empty.
struct Reply {
  uint32_t count;
  uint32_t flags;
  uint32_t unknown_names;
  int32_t err;
  char failed;
  char parse;  // the profile is at fault, not the compilation
  char detail[250];
};

bool receive_all(int fd, void* data, size_t size) {
  char* bytes = static_cast<char*>(data);
  while (size > 0) {
    ssize_t n = read(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

[[noreturn]] void compile_and_send(const JsonValue& profile, int fd) {
  Result<SeccompProgram> program = compile_seccomp(profile);
  Reply reply{};
  if (program) {
    reply.count = static_cast<uint32_t>(program->filter.size());
    reply.flags = program->flags;
    reply.unknown_names = program->unknown_names;
  } else {
    reply.failed = 1;
    reply.err = program.error().err;
    reply.parse = strcmp(program.error().step, "seccomp-profile") == 0;
    strncpy(reply.detail, program.error().detail.c_str(), sizeof reply.detail - 1);
  }
  const bool good = static_cast<bool>(write_all(fd, &reply, sizeof reply, "seccomp-compile"));
  if (good && program) {
    const auto& filter = program->filter;
    (void)write_all(fd, filter.data(), filter.size() * sizeof(sock_filter), "seccomp-compile");
  }
  _exit(0);
}

Result<SeccompProgram> receive_program(int fd) {
  Reply reply;
  if (!receive_all(fd, &reply, sizeof reply))
    return input_error("seccomp-compile", "the compiling child died", EIO);
  if (reply.failed) {
    reply.detail[sizeof reply.detail - 1] = 0;
    return input_error(reply.parse ? "seccomp-profile" : "seccomp-compile", reply.detail, reply.err);
  }
  SeccompProgram program;
  program.flags = reply.flags;
  program.unknown_names = reply.unknown_names;
  if (reply.count == 0 || reply.count > BPF_MAXINSNS) return input_error("seccomp-compile", "bad reply", EIO);
  program.filter.resize(reply.count);
  if (!receive_all(fd, program.filter.data(), reply.count * sizeof(sock_filter))) {
    return input_error("seccomp-compile", "the compiling child died", EIO);
  }
  return program;
}

Result<SeccompProgram> compile_in_child(const JsonValue& profile) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno_error("seccomp-compile", "pipe");
  UniqueFd reading(ends[0]), writing(ends[1]);
  pid_t child = fork();
  if (child < 0) return errno_error("seccomp-compile", "fork");
  if (child == 0) compile_and_send(profile, writing.get());
  writing.reset();
  Result<SeccompProgram> program = receive_program(reading.get());
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return program;
}

template <typename Compile>
Result<SeccompProgram> cached_or(const JsonValue& profile, const char* cache_dir, Compile compile) {
  if (!cache_dir) return compile(profile);
  SeccompCache cache(cache_dir);
  Digest256 key = seccomp_cache_key(profile);
  if (std::optional<SeccompProgram> hit = cache.load(key)) return std::move(*hit);
  Result<SeccompProgram> program = compile(profile);
  if (program) cache.store(key, *program);
  return program;
}

}  // namespace

Result<SeccompProgram> seccomp_program(const JsonValue& profile, const char* cache_dir) {
  return cached_or(profile, cache_dir, compile_seccomp);
}

Result<SeccompProgram> seccomp_program_isolated(const JsonValue& profile, const char* cache_dir) {
  return cached_or(profile, cache_dir, compile_in_child);
}

Result<Ok> seccomp_load(const SeccompProgram& program, bool no_new_privs) {
  if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("no-new-privs");
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.filter.size());
  filter.filter = const_cast<sock_filter*>(program.filter.data());
  long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.flags, &filter);
  // Flags only add logging or speed; a kernel too old for one must not mean "no filter".
  if (done != 0 && errno == EINVAL && program.flags != 0) {
    done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
  }
  if (done != 0 && errno == ENOSYS) done = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
  if (done != 0) return errno_error("seccomp-load");
  return Ok{};
}

}  // namespace edgepod
