// Directory trees of volumes: treeUsage(paths) · setTreeGroup(path, gid, onlyOnMismatch).
#include <algorithm>
#include <limits>
#include <vector>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/task.h"
#include "lib/tree/group.h"
#include "lib/tree/usage.h"

namespace edgepod {

namespace {

// Per path bytes and inodes: 0 for one that is not there, infinite for one too deep to be measured.
class UsageTask : public Task {
 public:
  explicit UsageTask(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  Result<Ok> run() override {
    for (std::string const& path : paths_) {
      auto usage = tree_usage(path);
      if (usage) {
        figures_.push_back(static_cast<double>(usage->bytes));
        figures_.push_back(static_cast<double>(usage->inodes));
      } else if (usage.error().err == ENOENT) {
        figures_.insert(figures_.end(), {0, 0});
      } else if (usage.error().err == E2BIG) {
        double const infinite = std::numeric_limits<double>::infinity();
        figures_.insert(figures_.end(), {infinite, infinite});
      } else {
        return std::move(usage.error());
      }
    }
    return Ok{};
  }

  Napi::Value value(Napi::Env env) override {
    auto out = Napi::Float64Array::New(env, figures_.size());
    std::copy(figures_.begin(), figures_.end(), out.Data());
    return out;
  }

 private:
  std::vector<std::string> paths_;
  std::vector<double> figures_;
};

Napi::Value tree_usage_js(const Napi::CallbackInfo& info) {
  auto paths = strings_argument(info, 0, "paths");
  if (!paths) return info.Env().Undefined();
  return start_task(info.Env(), std::make_unique<UsageTask>(std::move(*paths)));
}

Napi::Value set_tree_group_js(const Napi::CallbackInfo& info) {
  auto path = string_argument(info, 0, "path");
  auto group = path ? number_argument(info, 1, "gid") : std::nullopt;
  if (!group) return info.Env().Undefined();
  if (!(*group >= 0 && *group <= 2147483647))
    return throw_error(info.Env(), input_error("volume-group", "gid must be from 0 to 2147483647"));
  bool const only_on_mismatch = info[2].ToBoolean().Value();
  return start_function(info.Env(), [path = *path, gid = static_cast<gid_t>(*group), only_on_mismatch]() {
    return set_tree_group(path, gid, only_on_mismatch);
  });
}

}  // namespace

void export_tree(Napi::Env env, Napi::Object exports) {
  exports.Set("treeUsage", Napi::Function::New(env, tree_usage_js, "treeUsage"));
  exports.Set("setTreeGroup", Napi::Function::New(env, set_tree_group_js, "setTreeGroup"));
}

}  // namespace edgepod
