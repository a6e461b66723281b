#include <linux/sched.h>
#include <sys/stat.h>

#include "lib/spec_parts.h"

namespace edgepod {
namespace {

constexpr size_t kMaxPath = 4095;

int namespace_flag(std::string_view type) {
  if (type == "mount") return CLONE_NEWNS;
  if (type == "pid") return CLONE_NEWPID;
  if (type == "network") return CLONE_NEWNET;
  if (type == "ipc") return CLONE_NEWIPC;
  if (type == "uts") return CLONE_NEWUTS;
  if (type == "cgroup") return CLONE_NEWCGROUP;
  return 0;
}

void parse_namespaces(JsonReader& reader, Spec& spec) {
  reader.objects("namespaces", 16, [&](JsonReader& item) {
    std::string type;
    SpecNamespace out{0, {}};
    item.text("type", type, Need::Required, 32);
    item.text("path", out.path, Need::Optional, kMaxPath);
    if (item.failed()) return;
    out.flag = namespace_flag(type);
    if (!out.flag) return item.refuse_field("type", "is not a supported namespace (user and time are not)");
    if (spec.find_namespace(out.flag)) return item.refuse_field("type", "is listed twice");
    if (!out.path.empty() && out.path[0] != '/') return item.refuse_field("path", "must be an absolute path");
    if (!out.path.empty() && (out.flag == CLONE_NEWNS || out.flag == CLONE_NEWCGROUP))
      return item.refuse_field("path", "mount and cgroup namespaces cannot be joined");
    spec.namespaces.push_back(std::move(out));
  });
}

void parse_devices(JsonReader& reader, std::vector<SpecDevice>& devices) {
  reader.objects("devices", 4096, [&](JsonReader& item) {
    SpecDevice device;
    std::string type;
    int64_t major = 0, minor = 0, mode = 0666, uid = 0, gid = 0;
    item.text("path", device.path, Need::Required, kMaxPath);
    item.text("type", type, Need::Required, 1);
    item.integer("major", major, 0, (1 << 12) - 1);
    item.integer("minor", minor, 0, (1 << 20) - 1);
    item.integer("fileMode", mode, 0, 07777 | S_IFMT);
    item.integer("uid", uid, 0, INT32_MAX);
    item.integer("gid", gid, 0, INT32_MAX);
    if (item.failed()) return;
    if (type != "c" && type != "b" && type != "u" && type != "p")
      return item.refuse_field("type", "must be c, b, u or p");
    if (device.path[0] != '/') return item.refuse_field("path", "must be an absolute path");
    device.type = type == "u" ? 'c' : type[0];
    device.major = static_cast<uint32_t>(major);
    device.minor = static_cast<uint32_t>(minor);
    device.mode = static_cast<mode_t>(mode & 07777);
    device.uid = static_cast<uint32_t>(uid);
    device.gid = static_cast<uint32_t>(gid);
    devices.push_back(std::move(device));
  });
}

void require_absolute(JsonReader& reader, const char* name, const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (path.empty() || path[0] != '/') return reader.refuse_field(name, "must hold absolute paths");
}

// Settings that change what the container may do. Ignoring one would start something else than was asked for.
void refuse_unsupported(JsonReader& reader) {
  for (const char* name :
       {"uidMappings", "gidMappings", "timeOffsets", "intelRdt", "netDevices", "memoryPolicy"}) {
    const JsonValue* value = reader.raw(name);
    const bool empty =
        !value || (value->IsArray() && value->Empty()) || (value->IsObject() && value->ObjectEmpty());
    if (!empty) return reader.refuse_field(name, "is not supported");
  }
  std::string label;
  reader.text("mountLabel", label, Need::Optional, kMaxPath);
  if (!label.empty()) reader.refuse_field("mountLabel", "is not supported");
}

}  // namespace

void parse_linux(JsonReader& reader, Spec& spec) {
  parse_namespaces(reader, spec);
  parse_devices(reader, spec.devices);
  reader.texts("maskedPaths", spec.masked_paths, 1024, kMaxPath);
  require_absolute(reader, "maskedPaths", spec.masked_paths);
  reader.texts("readonlyPaths", spec.readonly_paths, 1024, kMaxPath);
  require_absolute(reader, "readonlyPaths", spec.readonly_paths);
  reader.text("cgroupsPath", spec.cgroups_path, Need::Optional, kMaxPath);
  reader.text("rootfsPropagation", spec.rootfs_propagation, Need::Optional, 32);
  reader.text_map("sysctl", 256, [&](std::string_view key, std::string_view value) {
    spec.sysctl.emplace_back(key, value);
  });
  spec.resources = reader.raw_object("resources");
  spec.seccomp = reader.raw_object("seccomp");
  refuse_unsupported(reader);
}

}  // namespace edgepod
