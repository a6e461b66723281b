// Work that may block (netlink waits for the kernel's network lock, unmount for a file system, spawn for a
// child), as a promise. Each task gets a short-lived thread of its own and never one of libuv's pool, for two
// reasons: the pool's four threads serve fs and dns, which a slow task would hold up; and a task may setns()
// into a pod's network namespace, which only affects the calling thread and must never happen to a thread
// that is used again.
#pragma once

#include <memory>

#include "addon/napi_system.h"
#include "lib/result.h"

namespace edgepod {

class Task {
 public:
  virtual ~Task() = default;
  virtual Result<Ok> run() = 0;  // on the task's thread: no JavaScript, no napi
  virtual Napi::Value value(Napi::Env env) { return env.Undefined(); }  // on the event loop, after success
};

// Starts the thread; the promise settles with value(), or rejects with js_error().
Napi::Value start_task(Napi::Env env, std::unique_ptr<Task> task);

// A task made of a function object that captures plain values by value and has nothing to tell but success.
template <typename Work>
class FunctionTask : public Task {
 public:
  explicit FunctionTask(Work work) : work_(std::move(work)) {}
  Result<Ok> run() override { return work_(); }

 private:
  Work work_;
};

template <typename Work>
Napi::Value start_function(Napi::Env env, Work work) {
  return start_task(env, std::make_unique<FunctionTask<Work>>(std::move(work)));
}

// For the environment's start and end.
void start_tasks(struct AddonState* state);
void end_tasks(struct AddonState* state);  // waits for the threads; their promises stay pending

}  // namespace edgepod
