// Whole control groups, for sandboxes whose shim is dead: destroyCgroup(path) · cgroupFeatures().
#include "lib/cgroup/cgroup.h"

#include <time.h>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/task.h"

namespace edgepod {

namespace {

constexpr int kAttempts = 50;
constexpr timespec kPause = {0, 20 * 1000 * 1000};

// Kills until nothing is left and removes the group. A process in uninterruptible sleep (dead disk, NFS) can
// outlast the second this takes: then the answer is EBUSY and the caller tries again later.
Result<Ok> destroy(const std::string& path) {
  Result<Ok> removed = Ok{};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto group = Cgroup::open(path);
    if (!group) {
      if (group.error().err == ENOENT) return Ok{};
      return group.error();
    }
    auto killed = group->kill_all();
    if (!killed && killed.error().err != ENOENT && killed.error().err != ENODEV) return killed;
    removed = group->remove();
    if (removed || removed.error().err != EBUSY) return removed;
    nanosleep(&kPause, nullptr);
  }
  return removed;
}

Napi::Value destroy_js(const Napi::CallbackInfo& info) {
  auto path = string_argument(info, 0, "path");
  if (!path) return info.Env().Undefined();
  return start_function(info.Env(), [path = *path]() { return destroy(path); });
}

class FeaturesTask : public Task {
 public:
  Result<Ok> run() override {
    auto found = cgroup_features();
    if (!found) return found.error();
    features_ = std::move(*found);
    return Ok{};
  }

  Napi::Value value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("mode", features_.mode == CgroupMode::V2 ? "v2" : "v1");
    Napi::Array const names = Napi::Array::New(env, features_.controllers.size());
    for (uint32_t at = 0; at < features_.controllers.size(); ++at) names.Set(at, features_.controllers[at]);
    result.Set("controllers", names);
    std::pair<const char*, bool> const flags[] = {
        {"memory", features_.memory},
        {"cpu", features_.cpu},
        {"pids", features_.pids},
        {"io", features_.io},
        {"swap", features_.swap},
        {"kill", features_.kill},
        {"freeze", features_.freeze},
        {"oomGroup", features_.oom_group},
        {"devices", features_.devices},
        {"psi", features_.psi},
        {"cgroupPsi", features_.cgroup_psi},
        {"cloneInto", features_.clone_into},
    };
    for (auto const& [name, value] : flags) result.Set(name, Napi::Boolean::New(env, value));
    return result;
  }

 private:
  CgroupFeatures features_;
};

Napi::Value features_js(const Napi::CallbackInfo& info) {
  return start_task(info.Env(), std::make_unique<FeaturesTask>());
}

}  // namespace

void export_cgroup(Napi::Env env, Napi::Object exports) {
  exports.Set("destroyCgroup", Napi::Function::New(env, destroy_js, "destroyCgroup"));
  exports.Set("cgroupFeatures", Napi::Function::New(env, features_js, "cgroupFeatures"));
}

}  // namespace edgepod
