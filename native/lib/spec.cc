#include "lib/spec.h"

#include "lib/spec_parts.h"

namespace edgepod {
namespace {

constexpr size_t kMaxPath = 4095;

void parse_mounts(JsonReader& reader, std::vector<SpecMount>& mounts) {
  reader.objects("mounts", 1024, [&](JsonReader& item) {
    SpecMount mount;
    item.text("destination", mount.destination, Need::Required, kMaxPath);
    item.text("type", mount.type, Need::Optional, 255);
    item.text("source", mount.source, Need::Optional, kMaxPath);
    item.texts("options", mount.options, 64, kMaxPath);
    if (item.failed()) return;
    if (mount.destination[0] != '/') return item.refuse_field("destination", "must be an absolute path");
    const JsonValue* maps = item.raw("uidMappings");
    if (maps && maps->IsArray() && maps->Size() > 0)
      return item.refuse_field("uidMappings", "id-mapped mounts are not supported");
    mounts.push_back(std::move(mount));
  });
}

bool any_hook(const JsonValue* hooks) {
  if (!hooks) return false;
  for (auto it = hooks->MemberBegin(); it != hooks->MemberEnd(); ++it)
    if (it->value.IsArray() && it->value.Size() > 0) return true;
  return false;
}

// Kernel interfaces take these names in one buffer of 64 bytes.
void check_name(JsonReader& reader, const char* field, const std::string& value) {
  if (value.size() > 64) reader.refuse_field(field, "is longer than 64 bytes");
}

}  // namespace

const SpecNamespace* Spec::find_namespace(int flag) const {
  for (const SpecNamespace& item : namespaces)
    if (item.flag == flag) return &item;
  return nullptr;
}

const std::string* Spec::annotation(std::string_view name) const {
  for (const auto& [key, value] : annotations)
    if (key == name) return &value;
  return nullptr;
}

Result<Spec> parse_spec(std::string_view json) {
  auto document = parse_json(json);
  if (!document) return std::move(document.error());
  Spec spec;
  spec.document = std::move(*document);
  JsonReader reader(spec.document, "parse-spec");
  std::string version;
  reader.text("ociVersion", version, Need::Required, 64);
  if (!reader.failed() && version.rfind("1.", 0) != 0) reader.refuse_field("ociVersion", "must be 1.x");
  reader.object("process", [&](JsonReader& process) { parse_process(process, spec.process); });
  if (!reader.has("process")) reader.refuse_field("process", "is required");
  if (!reader.has("root")) reader.refuse_field("root", "is required");
  reader.object("root", [&](JsonReader& root) {
    root.text("path", spec.root_path, Need::Required, kMaxPath);
    root.boolean("readonly", spec.root_readonly);
    if (!root.failed() && spec.root_path.empty()) root.refuse_field("path", "is empty");
  });
  reader.text("hostname", spec.hostname, Need::Optional, 255);
  check_name(reader, "hostname", spec.hostname);
  reader.text("domainname", spec.domainname, Need::Optional, 255);
  check_name(reader, "domainname", spec.domainname);
  parse_mounts(reader, spec.mounts);
  reader.text_map("annotations", 256, [&](std::string_view key, std::string_view value) {
    spec.annotations.emplace_back(key, value);
  });
  reader.object("linux", [&](JsonReader& section) { parse_linux(section, spec); });
  spec.has_hooks = any_hook(reader.raw_object("hooks"));
  EDGEPOD_TRY(reader.status());
  return spec;
}

}  // namespace edgepod
