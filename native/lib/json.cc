#include "lib/json.h"

#include <rapidjson/error/en.h>

namespace edgepod {
namespace {

// RapidJSON has no depth limit of its own. Brackets outside of strings are counted before it sees the text,
// so that "[[[[…" costs one pass and no memory.
bool deeper_than(std::string_view text, int max_depth) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') i++;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return true;
    } else if (c == ']' || c == '}') {
      depth--;
    }
  }
  return false;
}

}  // namespace

Result<JsonDocument> parse_json(std::string_view text, size_t max_bytes, int max_depth) {
  if (text.size() > max_bytes)
    return input_error("parse-json", "document has more than " + std::to_string(max_bytes) + " bytes", E2BIG);
  if (deeper_than(text, max_depth))
    return input_error("parse-json", "nesting is deeper than " + std::to_string(max_depth));
  JsonDocument document;
  // Iterative: the parser's stack is on the heap. Encoding is validated because texts become paths and
  // arguments.
  document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag>(text.data(),
                                                                                         text.size());
  if (document.HasParseError())
    return input_error("parse-json", std::string(rapidjson::GetParseError_En(document.GetParseError())) +
                                         " (byte " + std::to_string(document.GetErrorOffset()) + ")");
  return document;
}

const JsonValue* json_member(const JsonValue& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || member->value.IsNull()) return nullptr;
  return &member->value;
}

JsonReader::JsonReader(const JsonValue& value, const char* step, std::string path)
    : value_(&value), step_(step), path_(std::move(path)) {
  if (!value.IsObject()) refuse(path_.empty() ? "document" : path_, "must be an object");
}

bool JsonReader::has(const char* name) const { return json_member(*value_, name) != nullptr; }

std::string JsonReader::path_of(const char* name) const { return path_.empty() ? name : path_ + "." + name; }

void JsonReader::refuse(const std::string& path, const char* why) {
  if (!error_) error_ = Error{step_, EINVAL, path + ": " + why};
}

Result<Ok> JsonReader::status() const {
  if (error_) return *error_;
  return Ok{};
}

const JsonValue* JsonReader::find(const char* name, Need need) {
  if (error_) return nullptr;
  const JsonValue* member = json_member(*value_, name);
  if (!member && need == Need::Required) refuse(path_of(name), "is required");
  return member;
}

const JsonValue* JsonReader::array(const char* name, size_t max_items) {
  const JsonValue* member = find(name, Need::Optional);
  if (!member) return nullptr;
  if (!member->IsArray()) {
    refuse(path_of(name), "must be an array");
    return nullptr;
  }
  if (member->Size() > max_items) {
    refuse(path_of(name), "has too many elements");
    return nullptr;
  }
  return member;
}

const JsonValue* JsonReader::raw_object(const char* name) {
  const JsonValue* member = find(name, Need::Optional);
  if (member && !member->IsObject()) {
    refuse(path_of(name), "must be an object");
    return nullptr;
  }
  return member;
}

bool JsonReader::take_text(const JsonValue& value, const std::string& path, std::string& out, size_t max) {
  if (!value.IsString()) {
    refuse(path, "must be a string");
  } else if (value.GetStringLength() > max) {
    refuse(path, "is too long");
  } else if (std::string_view(value.GetString(), value.GetStringLength()).find('\0') !=
             std::string_view::npos) {
    refuse(path, "contains NUL");
  } else {
    out.assign(value.GetString(), value.GetStringLength());
    return true;
  }
  return false;
}

void JsonReader::text(const char* name, std::string& out, Need need, size_t max) {
  if (const JsonValue* member = find(name, need)) take_text(*member, path_of(name), out, max);
}

void JsonReader::boolean(const char* name, bool& out) {
  const JsonValue* member = find(name, Need::Optional);
  if (!member) return;
  if (!member->IsBool()) return refuse(path_of(name), "must be true or false");
  out = member->GetBool();
}

void JsonReader::integer(const char* name, int64_t& out, int64_t min, int64_t max, Need need) {
  const JsonValue* member = find(name, need);
  if (!member) return;
  // IsInt64 is false for fractions, exponents and anything that does not fit: nothing is rounded or wrapped.
  if (!member->IsInt64()) return refuse(path_of(name), "must be an integer");
  if (member->GetInt64() < min || member->GetInt64() > max) return refuse(path_of(name), "is out of range");
  out = member->GetInt64();
}

void JsonReader::integer(const char* name, std::optional<int64_t>& out, int64_t min, int64_t max) {
  if (!find(name, Need::Optional)) return;
  int64_t value = 0;
  integer(name, value, min, max);
  if (!error_) out = value;
}

void JsonReader::unsigned_integer(const char* name, std::optional<uint64_t>& out, uint64_t max) {
  const JsonValue* member = find(name, Need::Optional);
  if (!member) return;
  if (!member->IsUint64()) return refuse(path_of(name), "must be a non-negative integer");
  if (member->GetUint64() > max) return refuse(path_of(name), "is out of range");
  out = member->GetUint64();
}

void JsonReader::texts(const char* name, std::vector<std::string>& out, size_t max_items, size_t max_text) {
  const JsonValue* member = array(name, max_items);
  if (!member) return;
  out.clear();
  out.reserve(member->Size());
  for (rapidjson::SizeType i = 0; i < member->Size(); i++) {
    std::string item;
    if (!take_text((*member)[i], path_of(name) + "[" + std::to_string(i) + "]", item, max_text)) return;
    out.push_back(std::move(item));
  }
}

}  // namespace edgepod
