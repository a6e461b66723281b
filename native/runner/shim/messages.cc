#include "runner/shim/messages.h"

#include <cstring>

#include "lib/log/timestamp.h"

namespace edgepod {
namespace {

// An error text may quote a path with any bytes in it; the agent must still be able to read the answer.
std::string printable(std::string_view text) {
  constexpr size_t kMaxDetail = 1024;
  std::string out(text.substr(0, kMaxDetail));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return out;
}

const char* type_name(EventType type) {
  switch (type) {
    case EventType::Exit:
      return "exit";
    case EventType::Oom:
      return "oom";
    case EventType::Lost:
      break;
  }
  return "lost";
}

}  // namespace

JsonText& JsonText::text(const char* key, std::string_view value) {
  writer_.Key(key);
  writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  return *this;
}

JsonText& JsonText::number(const char* key, int64_t value) {
  writer_.Key(key);
  writer_.Int64(value);
  return *this;
}

JsonText& JsonText::boolean(const char* key, bool value) {
  writer_.Key(key);
  writer_.Bool(value);
  return *this;
}

JsonText& JsonText::time(const char* key, const timespec& value) {
  char text_form[kTimestampSize];
  format_timestamp(value, text_form);
  return text(key, {text_form, sizeof text_form});
}

JsonText& JsonText::raw(const char* key, std::string_view json) {
  writer_.Key(key);
  writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  return *this;
}

JsonText& JsonText::begin(const char* key) {
  writer_.Key(key);
  writer_.StartObject();
  return *this;
}

JsonText& JsonText::begin_list(const char* key) {
  writer_.Key(key);
  writer_.StartArray();
  return *this;
}

JsonText& JsonText::begin_item() {
  writer_.StartObject();
  return *this;
}

JsonText& JsonText::end() {
  writer_.EndObject();
  return *this;
}

JsonText& JsonText::end_list() {
  writer_.EndArray();
  return *this;
}

JsonText& JsonText::numbers(const char* key, const std::vector<uint32_t>& values) {
  writer_.Key(key);
  writer_.StartArray();
  for (const uint32_t value : values) writer_.Uint(value);
  writer_.EndArray();
  return *this;
}

JsonText& JsonText::texts(const char* key, const std::vector<std::string>& values) {
  writer_.Key(key);
  writer_.StartArray();
  for (const std::string& value : values)
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  writer_.EndArray();
  return *this;
}

std::string JsonText::finish() {
  writer_.EndObject();
  return std::string(buffer_.GetString(), buffer_.GetSize());
}

void put_exit(JsonText& json, const char* key, const ExitStatus& exit) {
  json.begin(key)
      .number("exitCode", exit.code)
      .number("signal", exit.signal)
      .boolean("oomKilled", exit.oom_killed)
      .time("startedAt", exit.started_at)
      .time("finishedAt", exit.finished_at)
      .end();
}

void put_user(JsonText& json, const ProcessUser& user) {
  json.begin("user").number("uid", user.uid).number("gid", user.gid).numbers("groups", user.groups).end();
}

void put_notes(JsonText& json, const std::vector<std::string>& notes) {
  if (notes.empty()) return;
  std::vector<std::string> shown;
  for (const std::string& text : notes) shown.push_back(printable(text));
  json.texts("notes", shown);
}

void put_container(JsonText& json, const ContainerView& container) {
  json.text("name", container.name)
      .number("attempt", container.attempt)
      .number("pid", container.pid)
      .time("startedAt", container.started_at)
      .raw("labels", container.labels);
  put_user(json, *container.user);
  if (container.exit != nullptr) put_exit(json, "exit", *container.exit);
}

std::string event_message(const Event& event) {
  JsonText json;
  json.begin("event").number("seq", static_cast<int64_t>(event.seq)).text("type", type_name(event.type));
  if (event.type == EventType::Lost) {
    json.text("reason", event.reason);
  } else {
    json.text("container", event.container).number("attempt", event.attempt);
  }
  if (event.type == EventType::Exit) put_exit(json, "exit", event.exit);
  return json.end().finish();
}

void put_error(JsonText& json, const Error& error) {
  const char* code = error.err == 0 ? nullptr : strerrorname_np(error.err);
  json.begin("error")
      .text("step", error.step)
      .number("errno", error.err)
      .text("code", code != nullptr ? code : "")
      .text("detail", printable(error.detail))
      .end();
}

std::string error_message(std::optional<int64_t> id, const Error& error) {
  JsonText json;
  if (id) {
    json.number("id", *id);
  } else {
    json.raw("id", "null");
  }
  put_error(json, error);
  return json.finish();
}

std::string empty_answer(int64_t id) {
  JsonText json;
  return json.number("id", id).begin("result").end().finish();
}

}  // namespace edgepod
