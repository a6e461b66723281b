#include "lib/seccomp_compile.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "lib/fd.h"

namespace edgepod {

namespace {

constexpr const char* kStep = "seccomp-profile";
constexpr size_t kMaxRules = 512;
constexpr size_t kMaxNames = 1024;
constexpr size_t kMaxArgs = 6;
constexpr size_t kMaxName = 64;

struct ReleaseFilter {
  void operator()(void* context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<void, ReleaseFilter>;

template <typename T>
struct Named {
  const char* name;
  T value;
};

template <typename T, size_t N>
const T* lookup(const Named<T> (&table)[N], const std::string& name) {
  for (const Named<T>& entry : table) {
    if (name == entry.name) return &entry.value;
  }
  return nullptr;
}

constexpr Named<uint32_t> kArchitectures[] = {
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64}, {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},   {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},         {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
};
constexpr Named<uint32_t> kFlags[] = {
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},  // the loading process has one thread: nothing to synchronise
};
constexpr Named<scmp_compare> kOperators[] = {
    {"SCMP_CMP_NE", SCMP_CMP_NE},
    {"SCMP_CMP_LT", SCMP_CMP_LT},
    {"SCMP_CMP_LE", SCMP_CMP_LE},
    {"SCMP_CMP_EQ", SCMP_CMP_EQ},
    {"SCMP_CMP_GE", SCMP_CMP_GE},
    {"SCMP_CMP_GT", SCMP_CMP_GT},
    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

// The action named by `field`, with its errno from `errno_field` (OCI: EPERM if absent).
uint32_t read_action(JsonReader& object, const char* field, const char* errno_field) {
  std::string name;
  std::optional<int64_t> code;
  object.text(field, name, Need::Required);
  object.integer(errno_field, code, 0, 4095);
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(static_cast<uint16_t>(code.value_or(EPERM)));
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(static_cast<uint16_t>(code.value_or(EPERM)));
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  // NOTIFY would need a listener outside the container; without one every such call would hang.
  object.refuse_field(field,
                      name == "SCMP_ACT_NOTIFY" ? "SCMP_ACT_NOTIFY is not supported" : "unknown action");
  return SCMP_ACT_KILL_PROCESS;
}

struct Rule {
  uint32_t action = 0;
  std::vector<std::string> names;
  std::vector<scmp_arg_cmp> args;
};

void read_arg(JsonReader& arg, Rule& rule) {
  int64_t index = 0;
  std::optional<uint64_t> value, second;
  std::string op;
  arg.integer("index", index, 0, 5, Need::Required);
  arg.unsigned_integer("value", value);
  arg.unsigned_integer("valueTwo", second);
  arg.text("op", op, Need::Required);
  const scmp_compare* compare = lookup(kOperators, op);
  if (!compare) return arg.refuse_field("op", "unknown operator");
  rule.args.push_back({static_cast<unsigned>(index), *compare, value.value_or(0), second.value_or(0)});
}

Rule read_rule(JsonReader& object) {
  Rule rule;
  // The shape with conditions has to be resolved for a capability set first; taking only its lists would
  // allow what it means to allow to privileged containers alone.
  for (const char* condition : {"includes", "excludes"}) {
    if (object.has(condition)) object.refuse_field(condition, "unresolved condition in the profile");
  }
  rule.action = read_action(object, "action", "errnoRet");
  object.texts("names", rule.names, kMaxNames, kMaxName);
  object.objects("args", kMaxArgs, [&](JsonReader& arg) { read_arg(arg, rule); });
  if (rule.names.empty()) object.refuse_field("names", "must not be empty");
  return rule;
}

bool repeats_an_argument(const std::vector<scmp_arg_cmp>& args) {
  uint32_t seen = 0;
  for (const scmp_arg_cmp& arg : args) {
    if (seen & 1u << arg.arg) return true;
    seen |= 1u << arg.arg;
  }
  return false;
}

// Conditions are joined by AND; libseccomp cannot do that for two on one argument, for which runc's
// meaning (any of them) has become the rule.
int add_syscall(scmp_filter_ctx context, const Rule& rule, int number) {
  if (!repeats_an_argument(rule.args)) {
    return seccomp_rule_add_array(context, rule.action, number, static_cast<unsigned>(rule.args.size()),
                                  rule.args.data());
  }
  for (const scmp_arg_cmp& arg : rule.args) {
    if (int err = seccomp_rule_add_array(context, rule.action, number, 1, &arg)) return err;
  }
  return 0;
}

void add_rule(scmp_filter_ctx context, JsonReader& object, const Rule& rule, uint32_t default_action,
              uint32_t& unknown) {
  if (rule.action == default_action) return;  // libseccomp refuses rules that change nothing
  for (const std::string& name : rule.names) {
    int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) {
      ++unknown;
      continue;
    }
    // EFAULT: a call that exists on none of the filter's architectures.
    int err = -add_syscall(context, rule, number);
    if (err != 0 && err != EFAULT && err != EDOM) return object.refuse_field("names", name.c_str());
  }
}

Result<Ok> add_architectures(scmp_filter_ctx context, JsonReader& reader) {
  std::vector<std::string> names;
  reader.texts("architectures", names, 16, kMaxName);
  for (const std::string& name : names) {
    const uint32_t* token = lookup(kArchitectures, name);
    if (!token) return input_error(kStep, "architectures: unknown " + name);
    int err = -seccomp_arch_add(context, *token);
    if (err != 0 && err != EEXIST) return input_error(kStep, "architectures: " + name, err);
  }
  return Ok{};
}

uint32_t read_flags(JsonReader& reader) {
  std::vector<std::string> names;
  uint32_t flags = 0;
  reader.texts("flags", names, 8, kMaxName);
  for (const std::string& name : names) {
    const uint32_t* flag = lookup(kFlags, name);
    if (flag)
      flags |= *flag;
    else
      reader.refuse_field("flags", "unknown or unsupported flag");
  }
  return flags;
}

Result<Ok> export_program(scmp_filter_ctx context, std::vector<sock_filter>& out) {
  UniqueFd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return errno_error("seccomp-compile", "memfd_create");
  if (int err = -seccomp_export_bpf(context, file.get()))
    return input_error("seccomp-compile", "export", err);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return errno_error("seccomp-compile", "fstat");
  size_t count = static_cast<size_t>(info.st_size) / sizeof(sock_filter);
  if (count == 0 || count > BPF_MAXINSNS) return input_error("seccomp-compile", "program too long", E2BIG);
  out.resize(count);
  size_t bytes = count * sizeof(sock_filter);
  if (pread(file.get(), out.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
    return errno_error("seccomp-compile", "read");
  }
  return Ok{};
}

}  // namespace

Result<SeccompProgram> compile_seccomp(const JsonValue& profile) {
  if (!profile.IsObject()) return input_error(kStep, "linux.seccomp: must be an object");
  JsonReader reader(profile, kStep, "linux.seccomp");
  if (reader.has("listenerPath")) reader.refuse_field("listenerPath", "is not supported");
  uint32_t default_action = read_action(reader, "defaultAction", "defaultErrnoRet");
  SeccompProgram out;
  out.flags = read_flags(reader);
  EDGEPOD_TRY(reader.status());

  Filter context(seccomp_init(default_action));
  if (!context) return input_error("seccomp-compile", "seccomp_init", ENOMEM);
  // A system call entered through an architecture the profile does not list could have any meaning.
  seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  // A binary tree over the numbers: the kernel runs the filter once for every system call number when it
  // is loaded (its allow bitmap), and a linear list of 400 comparisons makes that slow.
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  EDGEPOD_TRY(add_architectures(context.get(), reader));
  reader.objects("syscalls", kMaxRules, [&](JsonReader& object) {
    Rule rule = read_rule(object);
    if (!object.failed()) add_rule(context.get(), object, rule, default_action, out.unknown_names);
  });
  EDGEPOD_TRY(reader.status());
  EDGEPOD_TRY(export_program(context.get(), out.filter));
  return out;
}

std::string libseccomp_version() {
  const scmp_version* v = seccomp_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->micro);
}

}  // namespace edgepod
