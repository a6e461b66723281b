// Probes (lib/probe/) on one native thread, started by the first of them:
//   probeAdd(id, target, timing, onVerdict)   target: {kind: 'tcp'|'http'|'grpc', host, port, …}; throws on
//   bad input probeRemove(id)                           no callback for it from now on; unknown ids are
//   ignored
// onVerdict(outcome: 'success'|'failure'|'unhealthy'|'handover', message) is called on the event loop, for
// changes and for failures that change nothing.
#include "addon/probes.h"

#include <pthread.h>
#include <signal.h>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/state.h"
#include "lib/probe/http_request.h"

namespace edgepod {

namespace {

constexpr size_t kStackSize = 256 * 1024;
constexpr uint32_t kHeadersMax = 100;
constexpr size_t kProbesMax = 10000;

const char* name_of(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::kSuccess:
      return "success";
    case ProbeOutcome::kFailure:
      return "failure";
    case ProbeOutcome::kUnhealthy:
      return "unhealthy";
    case ProbeOutcome::kHandover:
      break;
  }
  return "handover";
}

std::string text_of(Napi::Object object, const char* key) {
  Napi::Value const value = object.Get(key);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

int64_t number_of(Napi::Object object, const char* key) {
  Napi::Value const value = object.Get(key);
  return value.IsNumber() ? value.As<Napi::Number>().Int64Value() : 0;
}

Result<ProbeTarget> target_of(Napi::Object object) {
  ProbeTarget target;
  target.host = text_of(object, "host");
  int64_t const port = number_of(object, "port");
  if (port < 1 || port > 65535) return input_error("probe-address", "port " + std::to_string(port));
  target.port = static_cast<uint16_t>(port);
  auto address = numeric_address(target.host, target.port);
  if (!address) return std::move(address.error());
  std::string const kind = text_of(object, "kind");
  if (kind == "grpc") {
    target.kind = GrpcTarget{text_of(object, "service"), text_of(object, "userAgent")};
  } else if (kind == "http") {
    HttpTarget http{text_of(object, "path"),
                    {},
                    text_of(object, "userAgent"),
                    object.Get("anyStatus").ToBoolean().Value()};
    Napi::Array const headers = object.Get("headers").As<Napi::Array>();
    if (!headers.IsArray() || headers.Length() > kHeadersMax)
      return input_error("probe-request", "at most 100 headers", E2BIG);
    for (uint32_t at = 0; at < headers.Length(); ++at) {
      Napi::Object const header = Napi::Value(headers.Get(at)).ToObject();
      http.headers.emplace_back(text_of(header, "name"), text_of(header, "value"));
    }
    auto request = http_request(http, http.path, target.host);  // says now what it would say every time
    if (!request) return std::move(request.error());
    target.kind = std::move(http);
  } else if (kind != "tcp") {
    return input_error("probe-request", "kind '" + kind + "'");
  }
  return target;
}

ProbeTiming timing_of(Napi::Object object) {
  ProbeTiming timing;
  timing.initial_delay = number_of(object, "initialDelayMs");
  timing.period = number_of(object, "periodMs");
  timing.timeout = number_of(object, "timeoutMs");
  timing.success_threshold = static_cast<uint32_t>(number_of(object, "successThreshold"));
  timing.failure_threshold = static_cast<uint32_t>(number_of(object, "failureThreshold"));
  return timing;
}

Napi::Value add(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  auto id = number_argument(info, 0, "id");
  if (!id) return env.Undefined();
  if (!info[1].IsObject() || !info[2].IsObject() || !info[3].IsFunction()) {
    Napi::TypeError::New(env, "target and timing must be objects, onVerdict a function")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto target = target_of(info[1].As<Napi::Object>());
  if (env.IsExceptionPending()) return env.Undefined();
  if (!target) return throw_error(env, target.error());
  AddonState& state = state_of(env);
  if (!state.probes) {
    auto probes = Probes::start(&state);
    if (!probes) return throw_error(env, probes.error());
    state.probes = std::move(*probes);
  }
  auto added = state.probes->add(static_cast<uint32_t>(*id), std::move(*target),
                                 timing_of(info[2].As<Napi::Object>()), info[3].As<Napi::Function>());
  return added ? env.Undefined() : throw_error(env, added.error());
}

Napi::Value remove(const Napi::CallbackInfo& info) {
  AddonState& state = state_of(info.Env());
  if (state.probes) state.probes->remove(info[0].ToNumber().Uint32Value());
  return info.Env().Undefined();
}

}  // namespace

Result<std::unique_ptr<Probes>> Probes::start(AddonState* state) {
  std::unique_ptr<Probes> probes(new Probes(state));
  auto engine = ProbeEngine::create([self = probes.get()](uint32_t id, const ProbeAnswer& verdict) {
    std::lock_guard const lock(self->mutex_);
    self->verdicts_.emplace_back(id, verdict);
    uv_async_send(&self->wake_);
  });
  if (!engine) return std::move(engine.error());
  probes->engine_ = std::move(*engine);
  uv_async_init(state->loop, &probes->wake_, &Probes::deliver);
  probes->wake_.data = probes.get();
  uv_unref(reinterpret_cast<uv_handle_t*>(&probes->wake_));
  state->open_handles += 1;
  uv_thread_options_t options = {};
  options.flags = UV_THREAD_HAS_STACK_SIZE;
  options.stack_size = kStackSize;
  int const error = uv_thread_create_ex(&probes->thread_, &options, &Probes::main, probes.get());
  if (error != 0) {
    close_handle(std::move(probes));
    return Error{"thread-create", -error, "probes"};
  }
  return probes;
}

void Probes::main(void* self) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);  // signals are the main thread's business
  static_cast<Probes*>(self)->engine_->run();
}

Result<Ok> Probes::add(uint32_t id, ProbeTarget target, const ProbeTiming& timing, Napi::Function callback) {
  if (callbacks_.size() >= kProbesMax) return input_error("probe-add", "10000 probes", ENOBUFS);
  bool const once = timing.period <= 0;
  if (!callbacks_.try_emplace(id, Callback{Napi::Persistent(callback), once}).second)
    return input_error("probe-add", "id in use", EEXIST);
  if (once) hold(+1);
  engine_->add(id, std::move(target), timing);
  return Ok{};
}

void Probes::remove(uint32_t id) {
  auto const found = callbacks_.find(id);
  if (found == callbacks_.end()) return;
  forget(found);
  engine_->remove(id);
}

void Probes::forget(std::unordered_map<uint32_t, Callback>::iterator place) {
  if (place->second.once) hold(-1);
  callbacks_.erase(place);
}

// Somebody awaits the answer of a probe that is asked once: the loop must not end before it.
void Probes::hold(int change) {
  waiting_ += change;
  auto* handle = reinterpret_cast<uv_handle_t*>(&wake_);
  waiting_ > 0 ? uv_ref(handle) : uv_unref(handle);
}

void Probes::deliver(uv_async_t* wake) {
  auto* self = static_cast<Probes*>(wake->data);
  AddonState& state = *self->state_;
  std::vector<std::pair<uint32_t, ProbeAnswer>> verdicts;
  {
    std::lock_guard const lock(self->mutex_);
    verdicts.swap(self->verdicts_);
  }
  Napi::HandleScope const scope(state.env);
  for (const auto& [id, verdict] : verdicts) {
    auto const found = self->callbacks_.find(id);
    if (found == self->callbacks_.end()) continue;  // removed while the verdict was under way
    Napi::Function const callback = found->second.function.Value();
    if (found->second.once || verdict.outcome == ProbeOutcome::kHandover) self->forget(found);
    call_js(state, callback,
            {Napi::String::New(state.env, name_of(verdict.outcome)),
             Napi::String::New(state.env, verdict.message)});
  }
}

void Probes::close_handle(std::unique_ptr<Probes> probes) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&probes->wake_);
  probes.release();
  uv_close(handle, [](uv_handle_t* closed) {
    std::unique_ptr<Probes> const self(static_cast<Probes*>(closed->data));
    handle_closed(self->state_);
  });
}

void export_probes(Napi::Env env, Napi::Object exports) {
  exports.Set("probeAdd", Napi::Function::New(env, add, "probeAdd"));
  exports.Set("probeRemove", Napi::Function::New(env, remove, "probeRemove"));
}

void end_probes(AddonState* state) {
  if (!state->probes) return;
  state->probes->stop();
  Probes::close_handle(std::move(state->probes));
}

void Probes::stop() {
  engine_->stop();
  uv_thread_join(&thread_);
  callbacks_.clear();
}

}  // namespace edgepod
