// The shim's protocol, writing side: JSON text of answers, events and exit records.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "lib/json.h"
#include "lib/result.h"
#include "runner/shim/journal.h"
#include "runner/shim/process_user.h"

namespace edgepod {

// One JSON object being written: begin with the constructor, add members, take text() once.
class JsonText {
 public:
  JsonText() : writer_(buffer_) { writer_.StartObject(); }
  JsonText& text(const char* key, std::string_view value);
  JsonText& number(const char* key, int64_t value);
  JsonText& numbers(const char* key, const std::vector<uint32_t>& values);
  JsonText& texts(const char* key, const std::vector<std::string>& values);
  JsonText& boolean(const char* key, bool value);
  JsonText& time(const char* key, const timespec& value);
  // `json` must be one valid JSON value.
  JsonText& raw(const char* key, std::string_view json);
  JsonText& begin(const char* key);  // a member that is an object
  JsonText& begin_list(const char* key);
  JsonText& begin_item();
  JsonText& end();
  JsonText& end_list();
  // Closes the outermost object.
  std::string finish();

 private:
  rapidjson::StringBuffer buffer_;
  JsonWriter writer_;
};

// {"exitCode","signal","oomKilled","startedAt","finishedAt"} as member `key`.
void put_exit(JsonText& json, const char* key, const ExitStatus& exit);

// {"uid","gid","groups"} as member "user".
void put_user(JsonText& json, const ProcessUser& user);

// Limits the kernel could not apply, as member "notes"; no member when there are none.
void put_notes(JsonText& json, const std::vector<std::string>& notes);

// What is known about one container: an element of hello's `containers`, and the content of an exit file.
struct ContainerView {
  std::string_view name;
  uint32_t attempt;
  pid_t pid;
  timespec started_at;
  std::string_view labels;
  const ProcessUser* user;
  const ExitStatus* exit;  // null while it runs
};
void put_container(JsonText& json, const ContainerView& container);

// {"event":{"seq":1,"type":"exit",…}}
std::string event_message(const Event& event);

// {"id":7,"error":{"step","errno","code","detail"}}; without id: "id":null.
std::string error_message(std::optional<int64_t> id, const Error& error);
// {"step","errno","code","detail"} as member "error".
void put_error(JsonText& json, const Error& error);

// {"id":7,"result":{}}
std::string empty_answer(int64_t id);

}  // namespace edgepod
