// What a compiled profile answers to a call of another architecture than this machine's: the program is
// interpreted, so that a 64-bit ARM board's answers to 32-bit ARM programs are tested wherever tests run.
//
// `test_seccomp_arm answers PROFILE.json arm|arm64` prints one "name=answer" line per system call that the
// library knows on that architecture, and for one whose number no call has; answer is `allow`, `kill` or an
// errno. Arguments are zero.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "check.h"
#include "lib/seccomp.h"

using namespace edgepod;

namespace {

struct Machine {
  const char *name;
  uint32_t token;  // libseccomp's
  uint32_t audit;  // the kernel's
};
constexpr Machine kMachines[] = {
    {"arm64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64},
    {"arm", SCMP_ARCH_ARM, AUDIT_ARCH_ARM},
    {"x86", SCMP_ARCH_X86, AUDIT_ARCH_I386},
};
constexpr const Machine &kArm64 = kMachines[0], &kArm = kMachines[1], &kX86 = kMachines[2];
// Beyond every call of the tables, below ARM's private calls at 0xf0000.
constexpr int kLastCall = 1000;
constexpr int kArmPrivate = 0xf0000;

bool jumps(const sock_filter &at, uint32_t accumulator) {
  switch (BPF_OP(at.code)) {
    case BPF_JEQ:
      return accumulator == at.k;
    case BPF_JGT:
      return accumulator > at.k;
    case BPF_JGE:
      return accumulator >= at.k;
    case BPF_JSET:
      return (accumulator & at.k) != 0;
    default:
      std::abort();
  }
}

// The instructions libseccomp emits; anything else is a failure of this test.
uint32_t interpret(const SeccompProgram &program, const seccomp_data &data) {
  uint32_t accumulator = 0;
  for (size_t pc = 0; pc < program.filter.size(); pc++) {
    const sock_filter &at = program.filter[pc];
    if (at.code == (BPF_LD | BPF_W | BPF_ABS))
      memcpy(&accumulator, reinterpret_cast<const char *>(&data) + at.k, sizeof accumulator);
    else if (at.code == (BPF_ALU | BPF_AND | BPF_K))
      accumulator &= at.k;
    else if (at.code == (BPF_JMP | BPF_JA))
      pc += at.k;
    else if (BPF_CLASS(at.code) == BPF_JMP)
      pc += jumps(at, accumulator) ? at.jt : at.jf;
    else if (at.code == (BPF_RET | BPF_K))
      return at.k;
    else
      std::abort();
  }
  std::abort();
}

std::string answer(const SeccompProgram &program, const Machine &machine, int number) {
  seccomp_data data{};
  data.nr = number;
  data.arch = machine.audit;
  uint32_t action = interpret(program, data);
  switch (action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
      return "allow";
    case SECCOMP_RET_ERRNO:
      return std::to_string(action & SECCOMP_RET_DATA);
    default:
      return "kill";
  }
}

void print_call(const SeccompProgram &program, const Machine &machine, int number) {
  char *name = seccomp_syscall_resolve_num_arch(machine.token, number);
  if (name) std::printf("%s=%s\n", name, answer(program, machine, number).c_str());
  free(name);
}

int print_answers(const char *path, const char *machine_name) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  auto document = parse_json(text.str());
  if (!CHECK_OK(document)) return 1;
  auto program = seccomp_program(*document, nullptr);
  if (!CHECK_OK(program)) return 1;
  for (const Machine &machine : kMachines) {
    if (strcmp(machine.name, machine_name) != 0) continue;
    for (int number = 0; number < kLastCall; number++) print_call(*program, machine, number);
    for (int number = kArmPrivate; number < kArmPrivate + 16; number++) print_call(*program, machine, number);
    std::printf("no_such_call=%s\n", answer(*program, machine, kLastCall).c_str());
  }
  return 0;
}

// Numbers of calls differ between the two; a rule by name has to reach both, and nothing of a third gets in.
void test_sub_architecture() {
  auto document = parse_json(R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
    "architectures":["SCMP_ARCH_AARCH64","SCMP_ARCH_ARM"],
    "syscalls":[{"names":["read","mmap2","cacheflush","set_tls"],"action":"SCMP_ACT_ALLOW"},
                {"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":1,
                 "args":[{"index":0,"value":0,"op":"SCMP_CMP_EQ"}]}]})");
  if (!CHECK_OK(document)) return;
  auto program = seccomp_program(*document, nullptr);
  if (!CHECK_OK(program)) return;
  CHECK_EQ(program->unknown_names, 0u);
  CHECK_EQ(answer(*program, kArm64, 63), "allow");     // read
  CHECK_EQ(answer(*program, kArm, 3), "allow");        // read
  CHECK_EQ(answer(*program, kArm, 63), "38");          // dup2
  CHECK_EQ(answer(*program, kArm, 192), "allow");      // mmap2, which the other does not have
  CHECK_EQ(answer(*program, kArm, 0xf0002), "allow");  // cacheflush
  CHECK_EQ(answer(*program, kArm, 0xf0005), "allow");  // set_tls
  CHECK_EQ(answer(*program, kArm64, 198), "1");        // socket
  CHECK_EQ(answer(*program, kArm, 281), "1");          // socket
  CHECK_EQ(answer(*program, kX86, 3), "kill");
}

}  // namespace

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "answers") == 0) return print_answers(argv[2], argv[3]);
  test_sub_architecture();
  return check_report();
}
