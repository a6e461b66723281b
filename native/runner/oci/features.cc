// `features`: what this runner understands, in the form of the OCI runtime-spec.
#include <cstdio>

#include "lib/json.h"
#include "lib/spec_parts.h"
#include "runner/oci/oci.h"

namespace edgepod {
namespace {

void add_list(JsonWriter& writer, const char* key, std::initializer_list<const char*> items) {
  writer.Key(key);
  writer.StartArray();
  for (const char* item : items) writer.String(item);
  writer.EndArray();
}

void add_flag(JsonWriter& writer, const char* section, const char* key, bool value) {
  writer.Key(section);
  writer.StartObject();
  writer.Key(key);
  writer.Bool(value);
  writer.EndObject();
}

}  // namespace

Result<int> oci_features(const OciOptions&) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("ociVersionMin");
  writer.String("1.0.0");
  writer.Key("ociVersionMax");
  writer.String("1.2.0");
  add_list(writer, "hooks", {});
  add_list(
      writer, "mountOptions",
      {"bind",   "rbind",  "ro",      "rw",         "nosuid",     "suid",        "nodev",      "dev",
       "noexec", "exec",   "noatime", "atime",      "relatime",   "strictatime", "nodiratime", "nosymfollow",
       "rro",    "rrw",    "rnosuid", "rnodev",     "rnoexec",    "private",     "rprivate",   "slave",
       "rslave", "shared", "rshared", "unbindable", "runbindable"});
  writer.Key("linux");
  writer.StartObject();
  add_list(writer, "namespaces", {"cgroup", "ipc", "mount", "network", "pid", "uts"});
  writer.Key("capabilities");
  writer.StartArray();
  for (int number = 0; const char* name = capability_name(number); number++) writer.String(name);
  writer.EndArray();
  writer.Key("cgroup");
  writer.StartObject();
  for (const char* key : {"v1", "v2"}) {
    writer.Key(key);
    writer.Bool(true);
  }
  for (const char* key : {"systemd", "systemdUser", "rdma"}) {
    writer.Key(key);
    writer.Bool(false);
  }
  writer.EndObject();
  add_flag(writer, "seccomp", "enabled", true);
  add_flag(writer, "apparmor", "enabled", true);
  add_flag(writer, "selinux", "enabled", false);
  writer.EndObject();
  writer.EndObject();
  printf("%s\n", buffer.GetString());
  return 0;
}

}  // namespace edgepod
