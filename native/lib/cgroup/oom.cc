// Counting and noticing OOM kills.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/cgroup/cgroup.h"
#include "lib/cgroup/files.h"
#include "lib/cgroup/host.h"

namespace edgepod {

namespace {

// v1: an eventfd registered through cgroup.event_control. PREEMPT_RT kernels have no such interface.
UniqueFd v1_event(int root, const std::string& path) {
  UniqueFd control(openat(root, (path + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!control) return {};
  UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return {};
  std::string line = std::to_string(event.get()) + " " + std::to_string(control.get());
  if (write_cgroup_file(root, path + "/cgroup.event_control", line) != 0) return {};
  return event;
}

// v2: memory.events is "modified" whenever one of its counters moves.
UniqueFd v2_event(int root, const std::string& path) {
  UniqueFd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // inotify takes a path only; through our own fd it still starts at the opened root.
  std::string file = "/proc/self/fd/" + std::to_string(root) + "/" + path + "/memory.events";
  if (!watch || inotify_add_watch(watch.get(), file.c_str(), IN_MODIFY) < 0) return {};
  return watch;
}

}  // namespace

int Cgroup::oom_event_fd() {
  const CgroupHierarchy* memory = host_->with("memory");
  if (oom_fd_ || !memory) return oom_fd_.get();
  int root = memory->root.get();
  oom_fd_ = memory->unified ? v2_event(root, path_) : v1_event(root, path_);
  return oom_fd_.get();
}

void Cgroup::drain_oom_event() const {
  char buffer[4096];
  while (oom_fd_ && ::read(oom_fd_.get(), buffer, sizeof buffer) > 0) {
  }
}

uint64_t Cgroup::oom_kills() const {
  const CgroupHierarchy* memory = host_->with("memory");
  if (!memory) return 0;
  std::string text;
  const char* file = memory->unified ? "/memory.events" : "/memory.oom_control";
  if (read_cgroup_file(memory->root.get(), path_ + file, text) != 0) return 0;
  return flat_keyed_value(text, "oom_kill");
}

}  // namespace edgepod
