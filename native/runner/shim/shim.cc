#include "runner/shim/shim.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string_view>

#include "lib/sys.h"
#include "runner/shim/foreground.h"
#include "runner/shim/memory.h"
#include "runner/shim/notes.h"
#include "runner/shim/pod.h"
#include "runner/shim/startup.h"
#include "runner/shim/teardown.h"

namespace edgepod {
namespace {

constexpr int kUsageError = 2;

int failed(const Error& error) {
  print_error(error);
  return 1;
}

int usage(const char* problem) {
  std::fprintf(stderr, "edgepod-runner shim: %s\nusage: edgepod-runner shim --dir DIR --pause PATH\n",
               problem);
  return kUsageError;
}

// The problem with the command line, or null.
const char* parse_options(int argc, char** argv, ShimOptions& options) {
  for (int i = 1; i < argc; i++) {
    std::string_view name = argv[i];
    std::string* value = name == "--dir" ? &options.dir : name == "--pause" ? &options.pause : nullptr;
    if (value == nullptr) return "unknown option";
    if (++i == argc) return "option without a value";
    *value = argv[i];
  }
  // Absolute, because the shim's working directory becomes "/".
  if (options.dir.empty() || options.dir[0] != '/') return "--dir must be an absolute path";
  if (options.pause.empty() || options.pause[0] != '/') return "--pause must be an absolute path";
  return nullptr;
}

Result<Ok> clean_up(PodContext& context) {
  remove_control_files(context.dir.get());
  return remove_pod_cgroups(context.cgroup_path);
}

int run_daemon(const ShimOptions& options, const Prepared& prepared, Daemon daemon, PodContext& context) {
  UniqueFd report = std::move(daemon.report);
  auto started = start_pod(options, prepared, daemon.born_at_home, context);
  if (!started) {
    report_failed(std::move(report), started.error());
    return 1;
  }
  Pod pod(context);
  auto watching = pod.watch(std::move(started->listening), std::move(started->signals));
  if (!watching) {
    report_failed(std::move(report), watching.error());
    (void)clean_up(context);
    return 1;
  }
  report_started(std::move(report));
  release_memory();
  pod.run();
  auto outcome = clean_up(context);
  if (!outcome) note("cleaning up", outcome.error());
  pod.answer_shutdown(outcome);
  return 0;
}

}  // namespace

int shim_main(int argc, char** argv) {
  ShimOptions options;
  if (const char* problem = parse_options(argc, argv, options)) return usage(problem);
  // What the caller had open is none of the pod's business, and must not reach a container (CVE-2024-21626).
  (void)close_from(3);
  keep_memory_small();
  // One per process and as long-lived: static, so that its buffer costs no page before it is used.
  static PodContext context;
  auto prepared = prepare_pod(options, context);
  if (!prepared) return failed(prepared.error());
  auto daemon = daemonize(prepared->home);
  if (!daemon) {
    take_back(context);
    return failed(daemon.error());
  }
  // The daemon never returns into the caller's main(): its exit handlers and buffers are not ours.
  _exit(run_daemon(options, *prepared, std::move(*daemon), context));
}

}  // namespace edgepod
