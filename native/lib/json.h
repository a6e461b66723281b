// Strict JSON reading for untrusted documents: size and depth capped before parsing, UTF-8 validated,
// numbers taken only where they are exact, and every refusal names the JSON path it is about.
// RapidJSON is used through this header only.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A violated RapidJSON precondition is a bug here, never bad input (types are checked first): stop at once.
#define RAPIDJSON_ASSERT(x) ((x) ? static_cast<void>(0) : std::abort())
#define RAPIDJSON_NOMEMBERITERATORCLASS 1
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "lib/result.h"

namespace edgepod {

using JsonValue = rapidjson::Value;
using JsonDocument = rapidjson::Document;
using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

inline constexpr size_t kMaxJsonBytes = 1 << 20;
inline constexpr int kMaxJsonDepth = 32;
inline constexpr size_t kMaxJsonText = 64 << 10;

// Parses one whole document. Errors: step "parse-json", EINVAL (syntax, depth, encoding) or E2BIG (size).
Result<JsonDocument> parse_json(std::string_view text, size_t max_bytes = kMaxJsonBytes,
                                int max_depth = kMaxJsonDepth);

// The member of an object, or null when the value is no object, the member is absent, or it is JSON null.
const JsonValue* json_member(const JsonValue& object, const char* name);

enum class Need { Optional, Required };

// Reads the fields of one JSON object into C++ variables. The first refusal is kept and everything after it
// is skipped, so that a parser reads as a plain list of fields; look at status() once at the end.
// JSON null counts as absent. Text may not contain NUL: it ends up in C strings given to the kernel.
class JsonReader {
 public:
  // `step` names the parser in errors; `path` is where `value` is in its document ("linux.resources").
  JsonReader(const JsonValue& value, const char* step, std::string path = {});

  bool has(const char* name) const;
  const JsonValue* raw(const char* name) const { return json_member(*value_, name); }
  // The raw member if it is an object; a refusal if it is anything else.
  const JsonValue* raw_object(const char* name);

  void text(const char* name, std::string& out, Need need = Need::Optional, size_t max = kMaxJsonText);
  void boolean(const char* name, bool& out);
  void integer(const char* name, int64_t& out, int64_t min, int64_t max, Need need = Need::Optional);
  void integer(const char* name, std::optional<int64_t>& out, int64_t min, int64_t max);
  void unsigned_integer(const char* name, std::optional<uint64_t>& out, uint64_t max = UINT64_MAX);
  void texts(const char* name, std::vector<std::string>& out, size_t max_items,
             size_t max_text = kMaxJsonText);

  // Calls f(JsonReader&) with the object member when it is there.
  template <typename F>
  void object(const char* name, F&& f) {
    const JsonValue* member = find(name, Need::Optional);
    if (!member) return;
    if (!member->IsObject()) return refuse(path_of(name), "must be an object");
    JsonReader reader(*member, step_, path_of(name));
    f(reader);
    take_error(reader);
  }

  // Calls f(JsonReader&) for every element of an array of objects.
  template <typename F>
  void objects(const char* name, size_t max_items, F&& f) {
    const JsonValue* member = array(name, max_items);
    if (!member) return;
    for (rapidjson::SizeType i = 0; i < member->Size() && !error_; i++) {
      const std::string path = path_of(name) + "[" + std::to_string(i) + "]";
      if (!(*member)[i].IsObject()) return refuse(path, "must be an object");
      JsonReader reader((*member)[i], step_, path);
      f(reader);
      take_error(reader);
    }
  }

  // Calls f(std::string_view key, std::string_view value) for every member of an object of texts.
  template <typename F>
  void text_map(const char* name, size_t max_items, F&& f) {
    const JsonValue* member = find(name, Need::Optional);
    if (!member) return;
    if (!member->IsObject()) return refuse(path_of(name), "must be an object");
    if (member->MemberCount() > max_items) return refuse(path_of(name), "has too many members");
    for (auto it = member->MemberBegin(); it != member->MemberEnd(); ++it) {
      const std::string_view key(it->name.GetString(), it->name.GetStringLength());
      if (!it->value.IsString()) return refuse(path_of(name) + "." + std::string(key), "must be a string");
      const std::string_view value(it->value.GetString(), it->value.GetStringLength());
      if (key.find('\0') != key.npos || value.find('\0') != value.npos)
        return refuse(path_of(name), "contains NUL");
      f(key, value);
    }
  }

  // Records a refusal of this object ("" path suffix) or one of its fields.
  void refuse_field(const char* name, const char* why) { refuse(path_of(name), why); }
  std::string path_of(const char* name) const;
  bool failed() const { return error_.has_value(); }
  Result<Ok> status() const;

 private:
  const JsonValue* find(const char* name, Need need);
  const JsonValue* array(const char* name, size_t max_items);
  bool take_text(const JsonValue& value, const std::string& path, std::string& out, size_t max);
  void refuse(const std::string& path, const char* why);
  void take_error(JsonReader& child) {
    if (!error_ && child.error_) error_ = std::move(child.error_);
  }

  const JsonValue* value_;
  const char* step_;
  std::string path_;
  std::optional<Error> error_;
};

}  // namespace edgepod
