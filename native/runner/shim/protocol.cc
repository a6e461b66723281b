#include "runner/shim/protocol.h"

#include <csignal>
#include <utility>

#include "lib/json.h"
#include "runner/shim/names.h"
#include "runner/shim/signal_name.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "request";
constexpr int kMaxDepth = 16;
constexpr size_t kMaxArgs = 1024;
constexpr int64_t kMaxExactInteger = (1LL << 53) - 1;  // what every JSON library can carry

void read_name(JsonReader& params, std::string& name, Need need = Need::Required, const char* key = "name") {
  params.text(key, name, need, 63);
  if (!params.failed() && !(name.empty() && need == Need::Optional) && !valid_container_name(name))
    params.refuse_field(key, "is not a container name");
}

void read_signal(JsonReader& params, int& number, Need need) {
  std::string name;
  params.text("signal", name, need, 16);
  if (params.failed() || name.empty()) return;
  auto found = signal_number(name);
  if (!found) return params.refuse_field("signal", "is not a signal");
  number = *found;
}

void read_log(JsonReader& log, StartRequest& request) {
  log.text("path", request.log_path, Need::Required, 4000);
  auto max_bytes = static_cast<int64_t>(request.log_limits.max_bytes);
  int64_t max_files = request.log_limits.max_files;
  log.integer("maxBytes", max_bytes, 0, kMaxExactInteger);
  log.integer("maxFiles", max_files, 1, 1000);
  request.log_limits = {static_cast<uint64_t>(max_bytes), static_cast<uint32_t>(max_files)};
}

void read_labels(JsonReader& params, std::string& labels) {
  const JsonValue* value = params.raw_object("labels");
  if (value == nullptr) return;
  for (auto it = value->MemberBegin(); it != value->MemberEnd(); ++it) {
    if (!it->value.IsString()) return params.refuse_field("labels", "must hold strings only");
  }
  rapidjson::StringBuffer text;
  JsonWriter writer(text);
  value->Accept(writer);
  if (text.GetSize() > kMaxLabels) return params.refuse_field("labels", "is larger than 4 KiB");
  labels.assign(text.GetString(), text.GetSize());
}

Result<RequestBody> read_start(JsonReader& params) {
  StartRequest request;
  read_name(params, request.name);
  int64_t attempt = 0;
  params.integer("attempt", attempt, 0, INT32_MAX, Need::Required);
  request.attempt = static_cast<uint32_t>(attempt);
  params.text("bundle", request.bundle, Need::Required, 128);
  if (!params.failed() && !valid_bundle_path(request.bundle))
    params.refuse_field("bundle", "must be bundles/<name>");
  if (!params.failed() && params.raw_object("log") == nullptr) params.refuse_field("log", "is missing");
  params.object("log", [&](JsonReader& log) { read_log(log, request); });
  read_labels(params, request.labels);
  read_name(params, request.pid_target, Need::Optional, "pidTarget");
  EDGEPOD_TRY(params.status());
  return RequestBody(std::move(request));
}

Result<RequestBody> read_stop(JsonReader& params) {
  StopRequest request;
  request.signal = SIGTERM;
  read_name(params, request.name);
  read_signal(params, request.signal, Need::Optional);
  params.integer("graceMs", request.grace_ms, 0, kMaxDelayMs, Need::Required);
  EDGEPOD_TRY(params.status());
  return RequestBody(std::move(request));
}

Result<RequestBody> read_signal_request(JsonReader& params) {
  SignalRequest request;
  read_name(params, request.name);
  read_signal(params, request.signal, Need::Required);
  EDGEPOD_TRY(params.status());
  return RequestBody(std::move(request));
}

template <typename Named>
Result<RequestBody> read_named(JsonReader& params) {
  Named request;
  read_name(params, request.name);
  EDGEPOD_TRY(params.status());
  return RequestBody(std::move(request));
}

Result<RequestBody> read_exec(JsonReader& params) {
  ExecRequest request;
  read_name(params, request.name);
  params.texts("args", request.args, kMaxArgs);
  if (!params.failed() && request.args.empty()) params.refuse_field("args", "is missing or empty");
  params.texts("env", request.env, kMaxArgs);
  for (const std::string& entry : request.env) {
    // CVE-2026-57231: an entry without a value must not be filled from anybody's environment.
    size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos) params.refuse_field("env", "must hold KEY=VALUE");
  }
  params.text("cwd", request.cwd, Need::Optional, 4000);
  if (!params.failed() && !request.cwd.empty() && request.cwd[0] != '/')
    params.refuse_field("cwd", "must be absolute");
  params.integer("timeoutMs", request.timeout_ms, 0, kMaxDelayMs);
  int64_t max_output = kMaxCapture;
  params.integer("maxOutput", max_output, 0, kMaxCapture);
  request.max_output = static_cast<uint32_t>(max_output);
  EDGEPOD_TRY(params.status());
  return RequestBody(std::move(request));
}

Result<RequestBody> read_kill_exec(JsonReader& params) {
  KillExecRequest request;
  params.integer("execId", request.exec_id, 0, kMaxExactInteger, Need::Required);
  EDGEPOD_TRY(params.status());
  return RequestBody(request);
}

Result<RequestBody> read_update(JsonReader& params) {
  UpdateRequest request;
  read_name(params, request.name, Need::Optional);
  const JsonValue* resources = params.raw_object("resources");
  if (!params.failed() && resources == nullptr) params.refuse_field("resources", "is missing");
  EDGEPOD_TRY(params.status());
  auto parsed = parse_resources(*resources);
  if (!parsed) return std::move(parsed.error());
  request.resources = std::move(*parsed);
  return RequestBody(std::move(request));
}

Result<RequestBody> read_ack(JsonReader& params) {
  int64_t seq = 0;
  params.integer("seq", seq, 0, kMaxExactInteger, Need::Required);
  EDGEPOD_TRY(params.status());
  return RequestBody(AckRequest{static_cast<uint64_t>(seq)});
}

template <typename Plain>
Result<RequestBody> read_plain(JsonReader&) {
  return RequestBody(Plain{});
}

struct Method {
  const char* name;
  Result<RequestBody> (*read)(JsonReader& params);
};
constexpr Method kMethods[] = {
    {"hello", read_plain<HelloRequest>},
    {"start", read_start},
    {"stop", read_stop},
    {"kill", read_named<KillRequest>},
    {"signal", read_signal_request},
    {"remove", read_named<RemoveRequest>},
    {"exec", read_exec},
    {"killExec", read_kill_exec},
    {"update", read_update},
    {"ack", read_ack},
    {"shutdown", read_plain<ShutdownRequest>},
};

Result<RequestBody> read_body(JsonReader& message) {
  std::string name;
  message.text("method", name, Need::Required, 32);
  const JsonValue* params = message.raw_object("params");
  EDGEPOD_TRY(message.status());
  JsonValue none(rapidjson::kObjectType);
  JsonReader reader(params != nullptr ? *params : none, kStep, "params");
  for (const Method& method : kMethods) {
    if (name == method.name) return method.read(reader);
  }
  return input_error(kStep, "method: unknown", ENOSYS);
}

}  // namespace

ParsedRequest parse_request(std::string_view packet) {
  auto document = parse_json(packet, kMaxMessage, kMaxDepth);
  if (!document) return {std::nullopt, std::move(document.error())};
  if (!document->IsObject()) return {std::nullopt, input_error(kStep, "message must be an object")};
  JsonReader message(*document, kStep);
  int64_t id = 0;
  message.integer("id", id, 0, kMaxExactInteger, Need::Required);
  if (message.failed()) return {std::nullopt, std::move(message.status().error())};
  return {id, read_body(message)};
}

}  // namespace edgepod
