#include "addon/task.h"

#include <algorithm>
#include <optional>

#include "addon/errors.h"
#include "addon/state.h"

namespace edgepod {

// Small: tasks make system calls with buffers of a few KiB; the default would map 8 MiB each.
constexpr size_t kStackSize = 256 * 1024;

class RunningTask {
 public:
  RunningTask(AddonState* state, std::unique_ptr<Task> task)
      : state_(state), task_(std::move(task)), deferred_(Napi::Promise::Deferred::New(state->env)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  int start() {
    uv_thread_options_t options = {};
    options.flags = UV_THREAD_HAS_STACK_SIZE;
    options.stack_size = kStackSize;
    return uv_thread_create_ex(&thread_, &options, &RunningTask::main, this);
  }

  void join() { uv_thread_join(&thread_); }

  void settle() {
    Napi::Env const env = state_->env;
    if (*result_) {
      Napi::Value const value = task_->value(env);
      if (!env.IsExceptionPending()) return deferred_.Resolve(value);
      return deferred_.Reject(env.GetAndClearPendingException().Value());
    }
    deferred_.Reject(js_error(env, result_->error()).Value());
  }

  void fail(const Error& error) { deferred_.Reject(js_error(state_->env, error).Value()); }

 private:
  static void main(void* self) {
    auto* task = static_cast<RunningTask*>(self);
    task->result_.emplace(task->task_->run());
    AddonState* state = task->state_;
    std::lock_guard const lock(state->finished_mutex);
    state->finished.push_back(task);
    uv_async_send(&state->wake);  // under the lock: end_tasks() joins before `wake` may go away
  }

  AddonState* state_;
  std::unique_ptr<Task> task_;
  std::optional<Result<Ok>> result_;
  Napi::Promise::Deferred deferred_;
  uv_thread_t thread_ = {};
};

namespace {

void settle_finished(uv_async_t* wake) {
  auto* state = static_cast<AddonState*>(wake->data);
  std::vector<RunningTask*> finished;
  {
    std::lock_guard const lock(state->finished_mutex);
    finished.swap(state->finished);
  }
  Napi::HandleScope const scope(state->env);
  for (RunningTask* task : finished) {
    task->join();
    std::erase(state->running, task);
    // A scope per promise: leaving it runs the microtasks, so that `await` continues now and not at the next
    // event.
    Napi::CallbackScope const callback_scope(state->env, *state->async_context);
    task->settle();
    delete task;
  }
  if (state->running.empty()) uv_unref(reinterpret_cast<uv_handle_t*>(wake));
}

}  // namespace

Napi::Value start_task(Napi::Env env, std::unique_ptr<Task> task) {
  AddonState& state = state_of(env);
  auto* running = new RunningTask(&state, std::move(task));
  Napi::Promise const promise = running->promise();
  state.running.push_back(running);
  if (int const error = running->start(); error != 0) {
    state.running.pop_back();
    running->fail(Error{"thread-create", -error, "native task"});
    delete running;
  } else {
    uv_ref(reinterpret_cast<uv_handle_t*>(&state.wake));
  }
  return promise;
}

void start_tasks(AddonState* state) {
  uv_async_init(state->loop, &state->wake, settle_finished);
  state->wake.data = state;
  state->open_handles += 1;
  uv_unref(reinterpret_cast<uv_handle_t*>(&state->wake));
}

void end_tasks(AddonState* state) {
  for (RunningTask* task : state->running) {
    task->join();
    delete task;
  }
  state->running.clear();
  state->finished.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&state->wake),
           [](uv_handle_t* handle) { handle_closed(static_cast<AddonState*>(handle->data)); });
}

}  // namespace edgepod
