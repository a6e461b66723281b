#include "runner/oci/state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "state";
constexpr const char* kStateName = "state.json";

void add(JsonWriter& writer, const char* key, const std::string& value) {
  writer.Key(key);
  writer.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
}

Result<UniqueFd> open_root(const OciOptions& options) {
  UniqueFd root(open(options.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error(kStep, options.root);
  return root;
}

}  // namespace

Result<UniqueFd> make_state_dir(const OciOptions& options) {
  if (mkdir(options.root.c_str(), 0700) < 0 && errno != EEXIST) return errno_error(kStep, options.root);
  auto root = open_root(options);
  if (!root) return root;
  if (mkdirat(root->get(), options.id.c_str(), 0700) < 0)
    return errno_error(kStep, errno == EEXIST ? "container " + options.id + " exists already" : options.id);
  return open_state_dir(options);
}

Result<UniqueFd> open_state_dir(const OciOptions& options) {
  const std::string missing = "container " + options.id + " does not exist";
  auto root = open_root(options);
  if (!root) return Error{kStep, root.error().err, missing};
  UniqueFd dir(openat(root->get(), options.id.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir) return errno_error(kStep, missing);
  return dir;
}

Result<Ok> remove_state_dir(const OciOptions& options) {
  auto root = open_root(options);
  if (!root) return std::move(root.error());
  auto dir = open_state_dir(options);
  if (!dir) return std::move(dir.error());
  for (const char* name : {kGateName, kStateName, "state.json.new"}) unlinkat(dir->get(), name, 0);
  if (unlinkat(root->get(), options.id.c_str(), AT_REMOVEDIR) < 0) return errno_error(kStep, options.id);
  return Ok{};
}

Result<Ok> save_state(int state_dir, const OciState& state) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  add(writer, "id", state.id);
  add(writer, "bundle", state.bundle);
  add(writer, "cgroup", state.cgroup);
  add(writer, "created", state.created);
  writer.Key("pid");
  writer.Int(state.pid);
  writer.Key("startTime");
  writer.Int64(state.start_time);
  writer.EndObject();
  UniqueFd file(
      openat(state_dir, "state.json.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return errno_error(kStep, kStateName);
  EDGEPOD_TRY(write_all(file.get(), buffer.GetString(), buffer.GetSize(), kStep));
  if (renameat(state_dir, "state.json.new", state_dir, kStateName) < 0) return errno_error(kStep, kStateName);
  return Ok{};
}

Result<OciState> load_state(int state_dir) {
  UniqueFd file(openat(state_dir, kStateName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno_error(kStep, kStateName);
  auto text = read_all(file.get(), 64 << 10, kStep);
  if (!text) return std::move(text.error());
  auto document = parse_json(*text);
  if (!document) return std::move(document.error());
  OciState state;
  JsonReader reader(*document, kStep);
  reader.text("id", state.id, Need::Required);
  reader.text("bundle", state.bundle, Need::Required);
  reader.text("cgroup", state.cgroup, Need::Required);
  reader.text("created", state.created, Need::Required);
  int64_t pid = 0;
  reader.integer("pid", pid, 1, INT32_MAX, Need::Required);
  reader.integer("startTime", state.start_time, 0, INT64_MAX, Need::Required);
  EDGEPOD_TRY(reader.status());
  state.pid = static_cast<pid_t>(pid);
  return state;
}

OciStatus status_of(int state_dir, const OciState& state) {
  if (process_start_time(state.pid) != state.start_time) return OciStatus::Stopped;
  struct stat st;
  return fstatat(state_dir, kGateName, &st, AT_SYMLINK_NOFOLLOW) == 0 ? OciStatus::Created
                                                                      : OciStatus::Running;
}

int64_t process_start_time(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return 0;
  auto text = read_all(file.get(), 4096, kStep);
  if (!text) return 0;
  // The name in parentheses may hold anything, so fields count from its end.
  const size_t close = text->rfind(')');
  if (close == std::string::npos || close + 2 >= text->size()) return 0;
  const char* at = text->c_str() + close + 2;
  if (*at == 'Z' || *at == 'X') return 0;
  for (int field = 3; field < 22; field++) {
    while (*at && *at != ' ') at++;
    while (*at == ' ') at++;
  }
  return strtoll(at, nullptr, 10);
}

Result<Spec> load_spec(int bundle_dir) {
  UniqueFd file(openat(bundle_dir, "config.json", O_RDONLY | O_CLOEXEC));
  if (!file) return errno_error("open-bundle", "config.json");
  auto text = read_all(file.get(), kMaxJsonBytes, "open-bundle");
  if (!text) return Error{"open-bundle", text.error().err, "config.json: " + text.error().detail};
  return parse_spec(*text);
}

}  // namespace edgepod
