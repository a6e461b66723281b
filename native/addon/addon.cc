// Entry point of edgepod.node: creates the environment's state and registers what the other files export.
#include "addon/exports.h"
#include "addon/napi_system.h"
#include "addon/network_watch.h"
#include "addon/probes.h"
#include "addon/seqpacket.h"
#include "addon/state.h"
#include "addon/task.h"

namespace edgepod {

AddonState::AddonState(Napi::Env environment) : env(environment) {}
AddonState::~AddonState() = default;

namespace {

void finish(AddonState* state) {
  napi_remove_async_cleanup_hook(state->cleanup);
  delete state;
}

void end_environment(napi_async_cleanup_hook_handle, void* argument) {
  auto* state = static_cast<AddonState*>(argument);
  state->ending = true;
  end_channels(state);
  end_network_watch(state);
  end_probes(state);
  state->async_context.reset();
  end_tasks(state);  // closes at least one handle, so finish() comes later, from its callback
}

}  // namespace

void call_js(AddonState& state, Napi::Function callback, std::initializer_list<napi_value> arguments) {
  callback.MakeCallback(state.env.Global(), arguments, *state.async_context);
  if (state.env.IsExceptionPending())
    napi_fatal_exception(state.env, state.env.GetAndClearPendingException().Value());
}

void handle_closed(AddonState* state) {
  state->open_handles -= 1;
  if (state->ending && state->open_handles == 0) finish(state);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* state = new AddonState(env);
  // No finalizer: it would run before libuv has closed our handles, which live in the state.
  napi_set_instance_data(env, state, nullptr, nullptr);
  napi_get_uv_event_loop(env, &state->loop);
  state->async_context = std::make_unique<Napi::AsyncContext>(env, "edgepod");
  start_tasks(state);
  napi_add_async_cleanup_hook(env, end_environment, state, &state->cleanup);

  export_seqpacket(env, exports);
  export_spawn(env, exports);
  export_stats(env, exports);
  export_network(env, exports);
  export_network_watch(env, exports);
  export_mounts(env, exports);
  export_cgroup(env, exports);
  export_probes(env, exports);
  export_tree(env, exports);
  export_system(env, exports);
  return exports;
}

}  // namespace edgepod

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return edgepod::init(env, exports); }

NODE_API_MODULE(edgepod, Init)
