#include "lib/archive/entry_name.h"

#include <cstdio>
#include <vector>

namespace edgepod {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kOpaqueName = ".wh..wh..opq";
constexpr std::string_view kReservedPrefix = ".wh..wh.";

Error refuse(std::string_view raw, const char* why, int err = EINVAL) {
  return input_error("entry-name", "entry " + quoted_name(raw) + ": " + why, err);
}

// Splits into components without "." and empty ones.
Result<std::vector<std::string_view>> components_of(std::string_view raw) {
  if (raw.empty()) return refuse(raw, "has no name");
  // Absolute names and ".." would only be harmless here because everything happens in the root of the layer;
  // an archive that has them was made by a broken tool or by an attacker, and its author should know.
  if (raw.front() == '/') return refuse(raw, "has an absolute name");
  if (raw.size() > kMaxEntryPath) return refuse(raw, "is longer than 3072 bytes", ENAMETOOLONG);
  std::vector<std::string_view> parts;
  for (size_t start = 0; start <= raw.size();) {
    const size_t slash = raw.find('/', start);
    const size_t end = slash == raw.npos ? raw.size() : slash;
    const std::string_view part = raw.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse(raw, "leads out of the archive with \"..\"");
    if (part.size() > kMaxEntryComponent)
      return refuse(raw, "has a component of more than 255 bytes", ENAMETOOLONG);
    parts.push_back(part);
  }
  return parts;
}

EntryName join(const std::vector<std::string_view>& parts) {
  EntryName name;
  if (parts.empty()) {
    name.kind = NameKind::Root;
    return name;
  }
  for (size_t i = 0; i + 1 < parts.size(); i++) {
    if (i > 0) name.parent += '/';
    name.parent += parts[i];
  }
  name.base = parts.back();
  return name;
}

}  // namespace

Result<EntryName> parse_plain_name(std::string_view raw) {
  auto parts = components_of(raw);
  if (!parts) return std::move(parts.error());
  return join(*parts);
}

Result<EntryName> parse_layer_name(std::string_view raw) {
  auto parts = components_of(raw);
  if (!parts) return std::move(parts.error());
  for (size_t i = 0; i + 1 < parts->size(); i++)
    if ((*parts)[i].starts_with(kWhiteoutPrefix)) return refuse(raw, "lies below a whiteout name");
  EntryName name = join(*parts);
  if (!name.base.starts_with(kWhiteoutPrefix)) return name;
  if (name.base == kOpaqueName) {
    name.kind = NameKind::Opaque;
  } else if (name.base.starts_with(kReservedPrefix)) {
    name.kind = NameKind::Reserved;
  } else {
    name.kind = NameKind::Whiteout;
    name.base.erase(0, kWhiteoutPrefix.size());
    if (name.base.empty() || name.base == "." || name.base == "..")
      return refuse(raw, "is a whiteout of nothing");
  }
  return name;
}

std::string quoted_name(std::string_view raw) {
  constexpr size_t kShown = 200;
  std::string text = "\"";
  for (const char c : raw.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      text += c;
    } else {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      text += escaped;
    }
  }
  return text + (raw.size() > kShown ? "…\"" : "\"");
}

}  // namespace edgepod
