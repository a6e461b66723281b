// Seccomp: compilation, cache, and the loaded filter's answers from the running
// kernel.
//
// `test_seccomp probe PROFILE.json` loads a resolved profile into a child and
// prints one "name=errno" line per call tried; the integration tests hold the
// shipped profile against it.
#include "lib/seccomp.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "check.h"
#include "lib/fd.h"
#include "lib/seccomp_hash.h"

using namespace edgepod;
namespace fs = std::filesystem;

namespace {

#if defined(__x86_64__)
constexpr const char *kArch = "SCMP_ARCH_X86_64";
#else
constexpr const char *kArch = "SCMP_ARCH_AARCH64";
#endif

struct Probe {
  const char *name;
  long (*call)();
};

long clone_with(unsigned long flags) {
  long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return pid;
}

// Each returns what the kernel said: < 0 with errno, or success.
constexpr Probe kProbes[] = {
    {"socket-inet", [] { return static_cast<long>(socket(AF_INET, SOCK_STREAM, 0)); }},
    {"socket-unix", [] { return static_cast<long>(socket(AF_UNIX, SOCK_STREAM, 0)); }},
    {"socket-netlink", [] { return static_cast<long>(socket(AF_NETLINK, SOCK_RAW, 0)); }},
    {"socket-alg", [] { return static_cast<long>(socket(38, SOCK_SEQPACKET, 0)); }},
    {"socket-nfc", [] { return static_cast<long>(socket(39, SOCK_SEQPACKET, 0)); }},
    {"socket-vsock", [] { return static_cast<long>(socket(40, SOCK_STREAM, 0)); }},
    {"socket-xdp", [] { return static_cast<long>(socket(44, SOCK_RAW, 0)); }},
    // The kernel looks at 32 bits of the family: garbage above them must not
    // change the answer.
    {"socket-alg-high-bits", [] { return syscall(SYS_socket, 0x100000026UL, SOCK_SEQPACKET, 0); }},
    {"socket-inet-high-bits", [] { return syscall(SYS_socket, 0x100000002UL, SOCK_STREAM, 0); }},
    {"fork", [] { return clone_with(0); }},
    {"clone-newuser", [] { return clone_with(CLONE_NEWUSER); }},
    {"clone-newns", [] { return clone_with(CLONE_NEWNS); }},
    {"clone-newnet-newpid", [] { return clone_with(CLONE_NEWNET | CLONE_NEWPID); }},
    {"clone3", [] { return syscall(SYS_clone3, nullptr, 0); }},
    {"mount", [] { return syscall(SYS_mount, "none", "/", "x", 0, 0); }},
    {"bpf", [] { return syscall(SYS_bpf, 999, nullptr, 0); }},
    {"keyctl", [] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
    {"io_uring_setup", [] { return syscall(SYS_io_uring_setup, 0, nullptr); }},
    {"personality-query", [] { return syscall(SYS_personality, 0xffffffffUL); }},
    {"personality-no-randomize", [] { return syscall(SYS_personality, 0x0040000UL); }},
    {"ptrace", [] { return syscall(SYS_ptrace, 999, 0, 0, 0); }},
    {"chroot", [] { return static_cast<long>(chroot("/nonexistent")); }},
    {"getpid", [] { return syscall(SYS_getpid); }},
    {"new-call", [] { return syscall(4000); }},
    {"unshare",
     [] { return static_cast<long>(unshare(CLONE_NEWUSER)); }},  // last: it changes what root may do
};

// The errno of every probe with the program loaded, "name=errno" by line; 0 for
// success.
std::string run_probes(const SeccompProgram &program) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  UniqueFd reading(ends[0]), writing(ends[1]);
  pid_t child = fork();
  if (child == 0) {
    if (!seccomp_load(program, true)) _exit(1);
    for (const Probe &probe : kProbes) {
      errno = 0;
      long result = probe.call();
      char line[80];
      int length = snprintf(line, sizeof line, "%s=%d\n", probe.name, result < 0 ? errno : 0);
      if (write(writing.get(), line, static_cast<size_t>(length)) < 0) _exit(2);
    }
    _exit(0);
  }
  writing.reset();
  std::string text;
  char buffer[1024];
  ssize_t n;
  while ((n = read(reading.get(), buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<size_t>(n));
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : "died: " + text;
}

std::string profile_with(const std::string &members) {
  return std::string(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":[")") + kArch + "\"]" + members +
         "}";
}

Result<SeccompProgram> compile(const std::string &json, const char *cache = nullptr, bool isolated = false) {
  auto document = parse_json(json);
  if (!CHECK_OK(document)) return std::move(document.error());
  return isolated ? seccomp_program_isolated(*document, cache) : seccomp_program(*document, cache);
}

void check_refused(const std::string &members, const char *detail) {
  for (bool isolated : {false, true}) {
    auto result = compile(profile_with(members), nullptr, isolated);
    CHECK(!result);
    if (result) continue;
    CHECK_EQ(result.error().step, std::string("seccomp-profile"));
    CHECK(result.error().detail.find(detail) != std::string::npos);
    if (result.error().detail.find(detail) == std::string::npos) {
      std::fprintf(stderr, "  %s, not %s\n", result.error().detail.c_str(), detail);
    }
  }
}

void test_refusals() {
  check_refused(R"(,"syscalls":[{"names":["read"],"action":"SCMP_ACT_NOTIFY"}])", "syscalls[0].action");
  check_refused(R"(,"syscalls":[{"names":["read"],"action":"ALLOW"}])", "syscalls[0].action");
  check_refused(R"(,"syscalls":[{"names":[],"action":"SCMP_ACT_LOG"}])", "syscalls[0].names");
  check_refused(R"(,"syscalls":[{"names":[7],"action":"SCMP_ACT_LOG"}])", "syscalls[0].names");
  check_refused(
      R"(,"syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}])",
      "syscalls[0].args[0].index");
  check_refused(R"(,"syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":[{"index":0,"op":"EQ"}]}])",
                "syscalls[0].args[0].op");
  // Conditions that nobody resolved: taking the lists alone would widen the
  // profile.
  check_refused(R"(,"syscalls":[{"names":["bpf"],"action":"SCMP_ACT_LOG","includes":{"caps":["CAP_BPF"]}}])",
                "syscalls[0].includes");
  check_refused(R"(,"syscalls":[{"names":["bpf"],"action":"SCMP_ACT_LOG","excludes":{}}])",
                "syscalls[0].excludes");
  check_refused(R"(,"flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER"])", "flags");
  check_refused(R"(,"listenerPath":"/x")", "listenerPath");
  CHECK(!compile(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_VAX"]})"));
  CHECK(!compile(R"({"syscalls":[]})"));
  CHECK(!compile("[]"));
}

void test_rules() {
  auto program = compile(profile_with(R"(,"syscalls":[
    {"names":["getpid","no_such_call"],"action":"SCMP_ACT_ERRNO","errnoRet":7},
    {"names":["socket"],"action":"SCMP_ACT_ERRNO",
     "args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"},{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},
    {"names":["read"],"action":"SCMP_ACT_ALLOW"}],"flags":["SECCOMP_FILTER_FLAG_LOG"])"));
  if (!CHECK_OK(program)) return;
  CHECK_EQ(program->unknown_names, 1u);
  CHECK(!program->cached);
  std::string answers = run_probes(*program);
  CHECK(answers.find("getpid=7\n") != std::string::npos);
  // Two conditions on one argument mean either.
  CHECK(answers.find("socket-inet=1\n") != std::string::npos);
  CHECK(answers.find("socket-unix=1\n") != std::string::npos);
  CHECK(answers.find("socket-netlink=0\n") != std::string::npos);

  auto isolated =
      compile(profile_with(R"(,"syscalls":[{"names":["getpid"],"action":"SCMP_ACT_ERRNO"}])"), nullptr, true);
  auto direct = compile(profile_with(R"(,"syscalls":[{"names":["getpid"],"action":"SCMP_ACT_ERRNO"}])"));
  if (!CHECK_OK(isolated) || !CHECK_OK(direct)) return;
  CHECK_EQ(isolated->filter.size(), direct->filter.size());
  CHECK(memcmp(isolated->filter.data(), direct->filter.data(), direct->filter.size() * sizeof(sock_filter)) ==
        0);
  CHECK_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // the compiling child was reaped
}

std::string only_file(const fs::path &directory) {
  std::string found;
  int count = 0;
  for (const auto &entry : fs::directory_iterator(directory)) {
    found = entry.path().string();
    ++count;
  }
  CHECK_EQ(count, 1);
  return found;
}

void test_cache() {
  char name[] = "/tmp/edgepod-seccomp-cache-XXXXXX";
  fs::path base = mkdtemp(name);
  std::string cache = (base / "seccomp").string();
  std::string profile =
      profile_with(R"(,"syscalls":[{"names":["getpid"],"action":"SCMP_ACT_ERRNO","errnoRet":7}])");
  auto cached = [&](bool isolated = false) {
    auto program = compile(profile, cache.c_str(), isolated);
    CHECK_OK(program);
    return program && program->cached;
  };
  CHECK(!cached(true));
  CHECK(cached());
  CHECK(cached(true));
  std::string file = only_file(cache);
  struct stat info;
  CHECK(stat(file.c_str(), &info) == 0 && (info.st_mode & 07777) == 0600);
  CHECK(stat(cache.c_str(), &info) == 0 && (info.st_mode & 07777) == 0700);

  // Every damage is noticed and repaired.
  auto size = fs::file_size(file);
  for (auto cut : {size - 1, size - 8, uintmax_t{50}, uintmax_t{0}}) {
    fs::resize_file(file, cut);
    CHECK(!cached());
    CHECK(cached());
  }
  for (uintmax_t at : {uintmax_t{0}, uintmax_t{9}, uintmax_t{30}, uintmax_t{70}, size - 1}) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    char byte = static_cast<char>(stream.get() ^ 0x40);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
    stream.close();
    CHECK(!cached());
    CHECK(cached());
  }
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  CHECK(!cached());
  fs::remove(file);
  fs::create_symlink("/dev/zero", file);
  CHECK(!cached());
  fs::permissions(cache, fs::perms::others_write, fs::perm_options::add);
  CHECK(!cached());
  only_file(cache);
  fs::remove_all(base);
}

void test_hash() {
  ProfileHash empty, abc, million;
  CHECK_EQ(hex(empty.finish()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  abc.update("abc", 3);
  CHECK_EQ(hex(abc.finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::string chunk(997, 'a');
  for (size_t left = 1000000; left > 0; left -= std::min(left, chunk.size())) {
    million.update(chunk.data(), std::min(left, chunk.size()));
  }
  CHECK_EQ(hex(million.finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int probe_file(const char *path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  auto document = parse_json(text.str());
  auto program =
      document ? seccomp_program(*document, nullptr) : Result<SeccompProgram>(std::move(document.error()));
  if (!program) {
    std::fprintf(stderr, "%s: %s (%d)\n", program.error().step, program.error().detail.c_str(),
                 program.error().err);
    return 1;
  }
  std::printf("%sinstructions=%zu\n", run_probes(*program).c_str(), program->filter.size());
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "probe") == 0) return probe_file(argv[2]);
  test_hash();
  test_refusals();
  test_rules();
  test_cache();
  return check_report();
}
