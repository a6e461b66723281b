// readStats(root, cgroups, links, out): everything the metrics need in one call, written into a Float64Array
// the caller keeps, so that a reading makes no garbage. Layout: node figures | figures per cgroup | counters
// per link (lib/stats/*.h has the order; `statsLayout` the sizes). readProcesses(pids, pss): memory of single
// processes.
#include <cstdio>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/state.h"
#include "addon/task.h"
#include "lib/stats/cgroup_stats.h"
#include "lib/stats/figures.h"
#include "lib/stats/node_stats.h"
#include "lib/stats/read_file.h"

namespace edgepod {

namespace {

Napi::Value read_stats_js(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  auto root = string_argument(info, 0, "root");
  auto groups = root ? strings_argument(info, 1, "cgroups") : std::nullopt;
  auto links = groups ? strings_argument(info, 2, "links") : std::nullopt;
  if (!links) return env.Undefined();
  size_t const length =
      kNodeFieldCount + groups->size() * kCgroupFieldCount + links->size() * kLinkFieldCount;
  if (!info[3].IsTypedArray() || info[3].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
      info[3].As<Napi::Float64Array>().ElementLength() < length) {
    Napi::TypeError::New(env, "out must be a Float64Array of at least " + std::to_string(length))
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  AddonState& state = state_of(env);
  if (!state.cgroups || state.cgroups->root() != *root) state.cgroups = std::make_unique<CgroupStats>(*root);
  double* out = info[3].As<Napi::Float64Array>().Data();
  double* group_out = out + kNodeFieldCount;
  read_node("/proc", *links, out, group_out + groups->size() * kCgroupFieldCount);
  for (std::string const& group : *groups) {
    state.cgroups->read(group, group_out);
    group_out += kCgroupFieldCount;
  }
  return env.Undefined();
}

// On a thread: smaps_rollup walks the process' page tables under its mmap lock and can take milliseconds.
class ProcessesTask : public Task {
 public:
  ProcessesTask(std::vector<int> pids, bool pss) : pids_(std::move(pids)), pss_(pss) {}

  Result<Ok> run() override {
    char buffer[8192];
    for (int pid : pids_) {
      std::string const dir = "/proc/" + std::to_string(pid);
      std::string_view const status = read_small(AT_FDCWD, (dir + "/status").c_str(), buffer, sizeof buffer);
      double const rss = number_after(status, "VmRSS:") * 1024;
      double const anon = number_after(status, "RssAnon:") * 1024;
      double pss = kUnknown;
      if (pss_) {
        std::string_view const rollup =
            read_small(AT_FDCWD, (dir + "/smaps_rollup").c_str(), buffer, sizeof buffer);
        pss = number_after(rollup, "Pss:") * 1024;
      }
      figures_.insert(figures_.end(), {rss, anon, pss});
    }
    return Ok{};
  }

  Napi::Value value(Napi::Env env) override {
    auto result = Napi::Float64Array::New(env, figures_.size());
    std::copy(figures_.begin(), figures_.end(), result.Data());
    return result;
  }

 private:
  std::vector<int> pids_;
  bool pss_;
  std::vector<double> figures_;
};

Napi::Value read_processes_js(const Napi::CallbackInfo& info) {
  std::vector<int> pids;
  if (info[0].IsArray()) {
    Napi::Array const array = info[0].As<Napi::Array>();
    for (uint32_t at = 0; at < array.Length(); ++at)
      pids.push_back(Napi::Value(array.Get(at)).ToNumber().Int32Value());
  }
  return start_task(info.Env(),
                    std::make_unique<ProcessesTask>(std::move(pids), info[1].ToBoolean().Value()));
}

}  // namespace

void export_stats(Napi::Env env, Napi::Object exports) {
  exports.Set("readStats", Napi::Function::New(env, read_stats_js, "readStats"));
  exports.Set("readProcesses", Napi::Function::New(env, read_processes_js, "readProcesses"));
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("node", Napi::Number::New(env, kNodeFieldCount));
  layout.Set("cgroup", Napi::Number::New(env, kCgroupFieldCount));
  layout.Set("link", Napi::Number::New(env, kLinkFieldCount));
  exports.Set("statsLayout", layout);
}

}  // namespace edgepod
