#include "lib/cgroup/resources.h"

#include <algorithm>
#include <cstring>

namespace edgepod {

namespace {

constexpr const char* kStep = "parse-resources";
constexpr size_t kMaxDeviceRules = 256;
constexpr size_t kMaxUnified = 64;
constexpr int64_t kMaxDeviceNumber = INT32_MAX;

void read_memory(JsonReader& memory, Resources& out) {
  auto read = [&](const char* name, std::optional<int64_t>& field) {
    memory.integer(name, field, -1, INT64_MAX);
    if (field == 0) field.reset();
  };
  read("limit", out.memory_limit);
  read("reservation", out.memory_reservation);
  read("swap", out.memory_swap);
}

void read_cpu(JsonReader& cpu, Resources& out) {
  cpu.unsigned_integer("shares", out.cpu_shares);
  cpu.unsigned_integer("period", out.cpu_period);
  cpu.integer("quota", out.cpu_quota, INT64_MIN, INT64_MAX);
  if (out.cpu_shares == 0u) out.cpu_shares.reset();
  if (out.cpu_shares) out.cpu_shares = std::clamp<uint64_t>(*out.cpu_shares, 2, 262144);
  if (out.cpu_period == 0u) out.cpu_period.reset();
  if (out.cpu_period && (*out.cpu_period < 1000 || *out.cpu_period > 1000000)) {
    cpu.refuse_field("period", "must be between 1000 and 1000000 microseconds");
  }
}

bool read_access(const std::string& access, DeviceRule& rule) {
  rule.read = rule.write = rule.mknod = false;
  for (char c : access) {
    if (c == 'r')
      rule.read = true;
    else if (c == 'w')
      rule.write = true;
    else if (c == 'm')
      rule.mknod = true;
    else
      return false;
  }
  return !access.empty();
}

void read_device(JsonReader& device, Resources& out) {
  DeviceRule rule;
  std::string type = "a", access = "rwm";
  device.boolean("allow", rule.allow);
  device.text("type", type);
  device.text("access", access);
  device.integer("major", rule.major, -1, kMaxDeviceNumber);
  device.integer("minor", rule.minor, -1, kMaxDeviceNumber);
  if (type.empty()) type = "a";
  if (type == "u") type = "c";  // unbuffered character device: the same thing to the kernel
  if (type.size() != 1 || !strchr("abc", type[0])) return device.refuse_field("type", "must be a, b, c or u");
  rule.type = type[0];
  if (!read_access(access, rule)) return device.refuse_field("access", "must be made of r, w and m");
  bool partial = rule.major >= 0 || rule.minor >= 0 || !rule.read || !rule.write || !rule.mknod;
  // v1 takes any "a" line as "everything": a narrower meaning would silently become a wider one there.
  if (rule.type == 'a' && partial) {
    return device.refuse_field("type", "a covers all devices and rwm: name b or c to limit the rule");
  }
  out.devices.push_back(rule);
}

bool interface_file(std::string_view name) {
  auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_'; };
  return std::all_of(name.begin(), name.end(), good) && name.find('.') != name.npos && name[0] != '.' &&
         !name.starts_with("cgroup.");
}

void read_unified(JsonReader& resources, Resources& out) {
  resources.text_map("unified", kMaxUnified, [&](std::string_view name, std::string_view value) {
    if (name == "memory.oom.group") {
      out.oom_group = value == "1";
    } else if (interface_file(name)) {
      out.unified.emplace_back(name, value);
    } else {
      // "cgroup.procs", "../x": files that are not limits of this cgroup.
      resources.refuse_field("unified", "names a file that is no controller's interface file");
    }
  });
}

}  // namespace

Result<Resources> parse_resources(const JsonValue& linux_resources) {
  Resources out;
  if (!linux_resources.IsObject()) return input_error(kStep, "linux.resources: must be an object");
  JsonReader reader(linux_resources, kStep, "linux.resources");
  reader.object("memory", [&](JsonReader& memory) { read_memory(memory, out); });
  reader.object("cpu", [&](JsonReader& cpu) { read_cpu(cpu, out); });
  reader.object("pids", [&](JsonReader& pids) { pids.integer("limit", out.pids_limit, -1, INT64_MAX); });
  reader.objects("devices", kMaxDeviceRules, [&](JsonReader& device) { read_device(device, out); });
  read_unified(reader, out);
  EDGEPOD_TRY(reader.status());
  return out;
}

}  // namespace edgepod
