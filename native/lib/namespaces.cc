#include "lib/namespaces.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>

#include <cstdio>

#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "join-namespaces";
constexpr int kSandboxed = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

struct NamespaceFile {
  int flag;
  const char* name;
};
// In the order of joining: the mount namespace last, since it takes /proc away.
constexpr NamespaceFile kFiles[] = {{CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"},
                                    {CLONE_NEWNET, "net"},       {CLONE_NEWPID, "pid"}, {CLONE_NEWNS, "mnt"}};

Result<UniqueFd> open_namespace(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("plan-namespaces", path);
  return fd;
}

bool alive(int pidfd, pid_t pid) {
  struct pollfd poll_fd = {pidfd, POLLIN, 0};
  if (pidfd >= 0) return poll(&poll_fd, 1, 0) == 0;
  char path[32];
  snprintf(path, sizeof path, "/proc/%d", pid);
  return access(path, F_OK) == 0;
}

Result<Ok> join_by_proc(int pidfd, pid_t pid, int mask) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/ns", pid);
  UniqueFd directory(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return errno_error(kStep, path);
  UniqueFd fds[std::size(kFiles)];
  for (size_t i = 0; i < std::size(kFiles); i++) {
    if (!(mask & kFiles[i].flag)) continue;
    fds[i].reset(openat(directory.get(), kFiles[i].name, O_RDONLY | O_CLOEXEC));
    if (!fds[i]) return errno_error(kStep, kFiles[i].name);
  }
  // The directory belongs to one process for ever, but it may have been a new owner of the number from the
  // start.
  if (!alive(pidfd, pid)) return input_error(kStep, "the process to join has ended", ESRCH);
  for (size_t i = 0; i < std::size(kFiles); i++)
    if (fds[i] && setns(fds[i].get(), kFiles[i].flag) < 0) return errno_error(kStep, kFiles[i].name);
  return Ok{};
}

}  // namespace

bool NamespacePlan::new_network() const { return clone_flags & CLONE_NEWNET; }
bool NamespacePlan::new_uts() const { return clone_flags & CLONE_NEWUTS; }

Result<NamespacePlan> plan_namespaces(const Spec& spec, bool sandbox) {
  NamespacePlan plan;
  if (sandbox) {
    plan.clone_flags = CLONE_NEWNS;
    plan.new_cgroup = true;
    plan.sandbox_mask = kSandboxed;
  }
  for (const SpecNamespace& wanted : spec.namespaces) {
    if (sandbox && wanted.flag != CLONE_NEWPID) continue;
    if (sandbox && !wanted.path.empty()) {
      plan.sandbox_pid = true;
    } else if (wanted.path.empty() && wanted.flag == CLONE_NEWCGROUP) {
      plan.new_cgroup = true;
    } else if (wanted.path.empty()) {
      plan.clone_flags |= static_cast<uint64_t>(wanted.flag);
    } else {
      auto fd = open_namespace(wanted.path);
      if (!fd) return std::move(fd.error());
      if (wanted.flag == CLONE_NEWPID) {
        plan.pid_namespace = std::move(*fd);
      } else {
        plan.joined.emplace_back(wanted.flag, std::move(*fd));
      }
    }
  }
  if (!(plan.clone_flags & CLONE_NEWNS))
    return input_error("plan-namespaces", "linux.namespaces: a new mount namespace is required");
  return plan;
}

Result<Ok> join_process(int pidfd, pid_t pid, int mask) {
  if (pidfd >= 0 && setns(pidfd, mask) == 0) return Ok{};
  // Before 5.8 a pidfd is no argument for setns.
  if (pidfd < 0 || errno == EINVAL || errno == ENOSYS || errno == EBADF)
    return join_by_proc(pidfd, pid, mask);
  return errno_error(kStep, errno == ESRCH ? "the process to join has ended" : "");
}

Result<Ok> PidNamespaceScope::remember() {
  own_.reset(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
  if (!own_) return errno_error(kStep, "/proc/self/ns/pid");
  return Ok{};
}

Result<Ok> PidNamespaceScope::enter_process(int pidfd, pid_t pid) {
  EDGEPOD_TRY(remember());
  return join_process(pidfd, pid, CLONE_NEWPID);
}

Result<Ok> PidNamespaceScope::enter(int namespace_fd) {
  EDGEPOD_TRY(remember());
  if (setns(namespace_fd, CLONE_NEWPID) < 0) return errno_error(kStep, "pid");
  return Ok{};
}

PidNamespaceScope::~PidNamespaceScope() {
  if (own_ && setns(own_.get(), CLONE_NEWPID) < 0) std::abort();
}

}  // namespace edgepod
