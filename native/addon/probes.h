// The native thread that asks probes, and the callbacks that wait for its verdicts.
#pragma once

#include <uv.h>

#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "addon/napi_system.h"
#include "lib/probe/engine.h"

namespace edgepod {

struct AddonState;

class Probes {
 public:
  static Result<std::unique_ptr<Probes>> start(AddonState* state);

  Result<Ok> add(uint32_t id, ProbeTarget target, const ProbeTiming& timing, Napi::Function callback);
  void remove(uint32_t id);
  void stop();  // waits for the thread; no callback from here on
  // Frees it once libuv has let go of its handle.
  static void close_handle(std::unique_ptr<Probes> probes);

 private:
  struct Callback {
    Napi::FunctionReference function;
    bool once;
  };

  explicit Probes(AddonState* state) : state_(state) {}

  static void main(void* self);
  static void deliver(uv_async_t* wake);
  void forget(std::unordered_map<uint32_t, Callback>::iterator place);
  void hold(int change);

  AddonState* state_;
  std::unique_ptr<ProbeEngine> engine_;
  uv_thread_t thread_ = {};
  uv_async_t wake_ = {};
  std::unordered_map<uint32_t, Callback> callbacks_;
  int waiting_ = 0;
  std::mutex mutex_;
  std::vector<std::pair<uint32_t, ProbeAnswer>> verdicts_;  // shared with the thread
};

void end_probes(AddonState* state);

}  // namespace edgepod
