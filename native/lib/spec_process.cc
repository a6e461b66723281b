#include <sys/resource.h>

#include "lib/spec_parts.h"

namespace edgepod {
namespace {

// The order of linux/capability.h: the index is the number.
constexpr const char* kCapabilities[] = {"CAP_CHOWN",
                                         "CAP_DAC_OVERRIDE",
                                         "CAP_DAC_READ_SEARCH",
                                         "CAP_FOWNER",
                                         "CAP_FSETID",
                                         "CAP_KILL",
                                         "CAP_SETGID",
                                         "CAP_SETUID",
                                         "CAP_SETPCAP",
                                         "CAP_LINUX_IMMUTABLE",
                                         "CAP_NET_BIND_SERVICE",
                                         "CAP_NET_BROADCAST",
                                         "CAP_NET_ADMIN",
                                         "CAP_NET_RAW",
                                         "CAP_IPC_LOCK",
                                         "CAP_IPC_OWNER",
                                         "CAP_SYS_MODULE",
                                         "CAP_SYS_RAWIO",
                                         "CAP_SYS_CHROOT",
                                         "CAP_SYS_PTRACE",
                                         "CAP_SYS_PACCT",
                                         "CAP_SYS_ADMIN",
                                         "CAP_SYS_BOOT",
                                         "CAP_SYS_NICE",
                                         "CAP_SYS_RESOURCE",
                                         "CAP_SYS_TIME",
                                         "CAP_SYS_TTY_CONFIG",
                                         "CAP_MKNOD",
                                         "CAP_LEASE",
                                         "CAP_AUDIT_WRITE",
                                         "CAP_AUDIT_CONTROL",
                                         "CAP_SETFCAP",
                                         "CAP_MAC_OVERRIDE",
                                         "CAP_MAC_ADMIN",
                                         "CAP_SYSLOG",
                                         "CAP_WAKE_ALARM",
                                         "CAP_BLOCK_SUSPEND",
                                         "CAP_AUDIT_READ",
                                         "CAP_PERFMON",
                                         "CAP_BPF",
                                         "CAP_CHECKPOINT_RESTORE"};

struct RlimitName {
  const char* name;
  int resource;
};
constexpr RlimitName kRlimits[] = {{"RLIMIT_AS", RLIMIT_AS},
                                   {"RLIMIT_CORE", RLIMIT_CORE},
                                   {"RLIMIT_CPU", RLIMIT_CPU},
                                   {"RLIMIT_DATA", RLIMIT_DATA},
                                   {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                                   {"RLIMIT_LOCKS", RLIMIT_LOCKS},
                                   {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                                   {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                                   {"RLIMIT_NICE", RLIMIT_NICE},
                                   {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                                   {"RLIMIT_NPROC", RLIMIT_NPROC},
                                   {"RLIMIT_RSS", RLIMIT_RSS},
                                   {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                                   {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                                   {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                                   {"RLIMIT_STACK", RLIMIT_STACK}};

// Names this runner does not know give nothing: a capability added by a newer kernel is simply not held.
void parse_set(JsonReader& reader, const char* name, uint64_t& set) {
  std::vector<std::string> names;
  reader.texts(name, names, 128, 64);
  for (const std::string& item : names)
    if (const int number = capability_number(item); number >= 0) set |= uint64_t{1} << number;
}

void parse_user(JsonReader& reader, SpecUser& user) {
  // Above INT32_MAX ids have wrapped to 0 in other people's code (CVE-2024-40635): refused, never truncated
  // (T-15, T-24).
  int64_t uid = 0, gid = 0;
  reader.integer("uid", uid, 0, INT32_MAX);
  reader.integer("gid", gid, 0, INT32_MAX);
  user.uid = static_cast<uint32_t>(uid);
  user.gid = static_cast<uint32_t>(gid);
  std::optional<int64_t> mask;
  reader.integer("umask", mask, 0, 0777);
  if (mask) user.umask = static_cast<uint32_t>(*mask);
  const JsonValue* gids = reader.raw("additionalGids");
  if (!gids) return;
  if (!gids->IsArray() || gids->Size() > 1024)
    return reader.refuse_field("additionalGids", "must be a short array");
  for (const JsonValue& item : gids->GetArray()) {
    if (!item.IsInt64() || item.GetInt64() < 0 || item.GetInt64() > INT32_MAX)
      return reader.refuse_field("additionalGids", "must hold group ids");
    user.additional_gids.push_back(static_cast<uint32_t>(item.GetInt64()));
  }
}

void parse_rlimits(JsonReader& reader, std::vector<SpecRlimit>& limits) {
  reader.objects("rlimits", 64, [&](JsonReader& item) {
    std::string type;
    std::optional<uint64_t> soft, hard;
    item.text("type", type, Need::Required, 64);
    item.unsigned_integer("soft", soft);
    item.unsigned_integer("hard", hard);
    if (item.failed()) return;
    const int resource = rlimit_number(type);
    if (resource < 0) return item.refuse_field("type", "is not a resource limit");
    if (!soft || !hard) return item.refuse_field(soft ? "hard" : "soft", "is required");
    if (*soft > *hard) return item.refuse_field("soft", "is above hard");
    limits.push_back({resource, *soft, *hard});
  });
}

void check_environment(JsonReader& reader, const std::vector<std::string>& env) {
  for (const std::string& entry : env) {
    const size_t equals = entry.find('=');
    // An entry without a value would make some consumers take the host's (CVE-2026-57231, T-33).
    if (equals == 0 || equals == std::string::npos)
      return reader.refuse_field("env", "must hold KEY=VALUE entries");
  }
}

}  // namespace

int capability_number(std::string_view name) {
  int number = 0;
  for (const char* known : kCapabilities) {
    if (name == known) return number;
    number++;
  }
  return -1;
}

const char* capability_name(int number) {
  return number >= 0 && number < static_cast<int>(std::size(kCapabilities)) ? kCapabilities[number] : nullptr;
}

int rlimit_number(std::string_view name) {
  for (const RlimitName& known : kRlimits)
    if (name == known.name) return known.resource;
  return -1;
}

void parse_process(JsonReader& reader, SpecProcess& process) {
  constexpr size_t kMaxArgument = 128 * 1024 - 1;  // the kernel's MAX_ARG_STRLEN
  reader.texts("args", process.args, 8192, kMaxArgument);
  reader.texts("env", process.env, 8192, kMaxArgument);
  check_environment(reader, process.env);
  reader.text("cwd", process.cwd, Need::Required, 4095);
  reader.boolean("terminal", process.terminal);
  reader.boolean("noNewPrivileges", process.no_new_privileges);
  reader.object("user", [&](JsonReader& user) { parse_user(user, process.user); });
  reader.object("capabilities", [&](JsonReader& sets) {
    CapabilitySets out;
    parse_set(sets, "bounding", out.bounding);
    parse_set(sets, "effective", out.effective);
    parse_set(sets, "permitted", out.permitted);
    parse_set(sets, "inheritable", out.inheritable);
    parse_set(sets, "ambient", out.ambient);
    process.capabilities = out;
  });
  parse_rlimits(reader, process.rlimits);
  std::optional<int64_t> oom;
  reader.integer("oomScoreAdj", oom, -1000, 1000);
  if (oom) process.oom_score_adj = static_cast<int>(*oom);
  reader.text("apparmorProfile", process.apparmor_profile, Need::Optional, 255);
  std::string label;
  reader.text("selinuxLabel", label, Need::Optional, 4095);
  if (reader.failed()) return;
  if (!label.empty()) reader.refuse_field("selinuxLabel", "is not supported");
  if (process.args.empty()) reader.refuse_field("args", "must name a command");
  if (process.cwd.empty() || process.cwd[0] != '/') reader.refuse_field("cwd", "must be an absolute path");
}

}  // namespace edgepod
