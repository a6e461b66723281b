// What the addon keeps per JavaScript environment (main thread or Worker). Nothing is static: two
// environments in one process share nothing, and everything is given back before the environment ends.
#pragma once

#include <uv.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "addon/napi_system.h"
#include "lib/stats/cgroup_stats.h"

namespace edgepod {

class Channel;
class NetworkWatch;
class Probes;
class RunningTask;

struct AddonState {
  explicit AddonState(Napi::Env environment);
  ~AddonState();

  Napi::Env env;
  uv_loop_t* loop = nullptr;
  std::unique_ptr<Napi::AsyncContext> async_context;  // callbacks into JS need one

  // Tasks on threads of their own (task.h). `wake` is signalled from those threads; `finished` is shared with
  // them.
  uv_async_t wake = {};
  std::mutex finished_mutex;
  std::vector<RunningTask*> finished;
  std::vector<RunningTask*> running;

  // Open SEQPACKET connections (seqpacket.h) by handle.
  std::unordered_map<uint32_t, Channel*> channels;
  uint32_t next_channel = 1;
  std::unique_ptr<unsigned char[]> receive_buffer;  // one for all: packets are copied out at once

  std::vector<NetworkWatch*> network_watches;

  std::unique_ptr<CgroupStats> cgroups;
  std::unique_ptr<Probes> probes;  // none before the first probe

  // uv handles not yet closed; the environment may end when the last one is.
  size_t open_handles = 0;
  bool ending = false;
  napi_async_cleanup_hook_handle cleanup = nullptr;
};

inline AddonState& state_of(Napi::Env env) { return *env.GetInstanceData<AddonState>(); }

// Calls JavaScript from a libuv callback; microtasks run afterwards. An exception it throws becomes an
// uncaughtException, as if a timer had thrown it: nobody else would ever see it.
void call_js(AddonState& state, Napi::Function callback, std::initializer_list<napi_value> arguments);

// Called when a uv handle of this state has been closed; frees the state after the last one of an ending
// environment.
void handle_closed(AddonState* state);

}  // namespace edgepod
