// The device rules as a BPF program, assembled here instruction by instruction: a dozen fixed shapes need no
// compiler and no libbpf.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "lib/cgroup/devices.h"

namespace edgepod {

namespace {

constexpr uint8_t kAccess = 2, kType = 3, kMajor = 4, kMinor = 5, kScratch = 1;  // registers

bpf_insn make(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm) {
  bpf_insn insn{};
  insn.code = code;
  insn.dst_reg = dst & 0xf;
  insn.src_reg = src & 0xf;
  insn.off = off;
  insn.imm = imm;
  return insn;
}

bpf_insn load_word(uint8_t dst, int16_t off) { return make(BPF_LDX | BPF_MEM | BPF_W, dst, 1, off, 0); }
bpf_insn jump_unless_equal(uint8_t reg, int32_t value) {
  return make(BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, value);
}

int32_t access_bits(const DeviceRule& rule) {
  return (rule.mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (rule.read ? BPF_DEVCG_ACC_READ : 0) |
         (rule.write ? BPF_DEVCG_ACC_WRITE : 0);
}

void emit_return(std::vector<bpf_insn>& out, bool allow) {
  out.push_back(make(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, allow ? 1 : 0));
  out.push_back(make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

// One rule: conditions that jump past the block when they do not hold, then the verdict. An allow rule
// must cover every access asked for; a deny rule needs only one of them.
void emit_rule(std::vector<bpf_insn>& out, const DeviceRule& rule) {
  size_t start = out.size();
  if (rule.type != 'a') {
    out.push_back(jump_unless_equal(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
  }
  int32_t access = access_bits(rule);
  if (access != (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)) {
    out.push_back(make(BPF_ALU64 | BPF_MOV | BPF_X, kScratch, kAccess, 0, 0));
    out.push_back(make(BPF_ALU | BPF_AND | BPF_K, kScratch, 0, 0, rule.allow ? ~access : access));
    out.push_back(rule.allow ? jump_unless_equal(kScratch, 0)
                             : make(BPF_JMP | BPF_JEQ | BPF_K, kScratch, 0, 0, 0));
  }
  if (rule.major >= 0) out.push_back(jump_unless_equal(kMajor, static_cast<int32_t>(rule.major)));
  if (rule.minor >= 0) out.push_back(jump_unless_equal(kMinor, static_cast<int32_t>(rule.minor)));
  size_t conditions_end = out.size();
  emit_return(out, rule.allow);
  for (size_t i = start; i < conditions_end; ++i) {
    if (BPF_CLASS(out[i].code) == BPF_JMP) out[i].off = static_cast<int16_t>(out.size() - i - 1);
  }
}

bool covers_everything(const DeviceRule& rule) {
  return rule.type == 'a' && rule.major < 0 && rule.minor < 0 && rule.read && rule.write && rule.mknod;
}

int bpf(int command, bpf_attr& attr) {
  return static_cast<int>(syscall(SYS_bpf, command, &attr, sizeof attr));
}

int load_program(const std::vector<bpf_insn>& program) {
  bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  static const char kLicense[] = "Apache-2.0";
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.insns = reinterpret_cast<uint64_t>(program.data());
  attr.insn_cnt = static_cast<uint32_t>(program.size());
  attr.license = reinterpret_cast<uint64_t>(kLicense);
  int fd = bpf(BPF_PROG_LOAD, attr);
  if (fd >= 0 || errno != EPERM) return fd;
  // Before 5.11 programs are charged to RLIMIT_MEMLOCK, 64 KiB by default. Raised for this call only: the
  // limit would be inherited by containers.
  rlimit before, raised{RLIM_INFINITY, RLIM_INFINITY};
  if (prlimit(0, RLIMIT_MEMLOCK, &raised, &before) != 0) {
    errno = EPERM;
    return -1;
  }
  fd = bpf(BPF_PROG_LOAD, attr);
  int err = errno;
  prlimit(0, RLIMIT_MEMLOCK, &before, nullptr);
  errno = err;
  return fd;
}

// Programs of this type attached to the cgroup; an empty list also when the kernel cannot say.
std::vector<uint32_t> attached_programs(int cgroup_fd) {
  std::vector<uint32_t> ids(64);  // the kernel's own maximum
  bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.query.target_fd = static_cast<uint32_t>(cgroup_fd);
  attr.query.attach_type = BPF_CGROUP_DEVICE;
  attr.query.prog_ids = reinterpret_cast<uint64_t>(ids.data());
  attr.query.prog_cnt = static_cast<uint32_t>(ids.size());
  ids.resize(bpf(BPF_PROG_QUERY, attr) == 0 ? attr.query.prog_cnt : 0);
  return ids;
}

int attach(int command, int cgroup_fd, int program_fd) {
  bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.target_fd = static_cast<uint32_t>(cgroup_fd);
  attr.attach_bpf_fd = static_cast<uint32_t>(program_fd);
  attr.attach_type = BPF_CGROUP_DEVICE;
  // Every attached program must agree: rules of an outer manager (systemd) stay in force beside ours.
  if (command == BPF_PROG_ATTACH) attr.attach_flags = BPF_F_ALLOW_MULTI;
  return bpf(command, attr);
}

void detach(int cgroup_fd, uint32_t program_id) {
  bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.prog_id = program_id;
  UniqueFd old(bpf(BPF_PROG_GET_FD_BY_ID, attr));
  if (old) attach(BPF_PROG_DETACH, cgroup_fd, old.get());
}

}  // namespace

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> out;
  // struct bpf_cgroup_dev_ctx { u32 access_type (access << 16 | type), major, minor }
  out.push_back(load_word(kType, 0));
  out.push_back(make(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xffff));
  out.push_back(load_word(kAccess, 0));
  out.push_back(make(BPF_ALU | BPF_RSH | BPF_K, kAccess, 0, 0, 16));
  out.push_back(load_word(kMajor, 4));
  out.push_back(load_word(kMinor, 8));
  // Later rules win, so the last is tried first; what stands before a rule about everything is never reached.
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    if (covers_everything(*rule)) {
      emit_return(out, rule->allow);
      return out;
    }
    if (access_bits(*rule) != 0) emit_rule(out, *rule);
  }
  emit_return(out, true);
  return out;
}

Result<Ok> v2_set_devices(int root_fd, const std::string& path, const std::vector<DeviceRule>& rules,
                          CgroupNotes* notes) {
  UniqueFd cgroup(openat(root_fd, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!cgroup) return errno_error("cgroup-devices", path);
  UniqueFd program(load_program(device_program(rules)));
  if (!program) {
    int err = errno;
    if ((err == ENOSYS || err == EINVAL) && !device_programs_available()) {
      if (notes) notes->push_back("device rules not applied: the kernel lacks CONFIG_CGROUP_BPF");
      return Ok{};
    }
    return input_error("cgroup-devices", "loading the BPF device program for " + path, err);
  }
  std::vector<uint32_t> before = attached_programs(cgroup.get());
  if (attach(BPF_PROG_ATTACH, cgroup.get(), program.get()) != 0) return errno_error("cgroup-devices", path);
  // The new program is in force before the old ones go: no moment without rules.
  for (uint32_t id : before) detach(cgroup.get(), id);
  return Ok{};
}

bool device_programs_available() {
  std::vector<bpf_insn> allow_all;
  emit_return(allow_all, true);
  return static_cast<bool>(UniqueFd(load_program(allow_all)));
}

}  // namespace edgepod
