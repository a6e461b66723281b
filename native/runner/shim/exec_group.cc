#include "runner/shim/exec_group.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "lib/fd.h"

namespace edgepod {
namespace {

constexpr int kRounds = 8;

bool write_at(int dir, const std::string& file, const std::string& text) {
  UniqueFd fd(openat(dir, file.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

struct Lineage {
  pid_t parent = 0;
  pid_t session = 0;
};

// Fields 4 (ppid) and 6 (session) of /proc/<pid>/stat. The command name in field 2 may hold anything, also
// parentheses: what follows the last ')' is safe to read.
bool read_lineage(pid_t pid, Lineage& lineage) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  ssize_t size = read(fd.get(), text, sizeof text - 1);
  if (size <= 0) return false;
  text[size] = '\0';
  const char* end_of_name = strrchr(text, ')');
  return end_of_name != nullptr &&
         sscanf(end_of_name + 1, " %*c %d %*d %d", &lineage.parent, &lineage.session) == 2;
}

bool contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// Kills what descends from, or is in the session of, a member of `family`, which grows. False: nobody new.
bool kill_relatives(const std::vector<pid_t>& all, std::vector<pid_t>& family) {
  size_t before = family.size();
  for (pid_t pid : all) {
    Lineage lineage;
    if (contains(family, pid) || !read_lineage(pid, lineage)) continue;
    if (!contains(family, lineage.parent) && !contains(family, lineage.session)) continue;
    family.push_back(pid);
    // Stopped first, so that it cannot fork while its own children are looked for.
    ::kill(pid, SIGSTOP);
  }
  return family.size() != before;
}

}  // namespace

void ExecGroup::adopt(const Cgroup& container, int64_t exec_id, pid_t pid) {
  pid_ = pid;
  if (container.clone_fd() < 0) return;
  std::string name = "exec-" + std::to_string(exec_id);
  if (mkdirat(container.clone_fd(), name.c_str(), 0755) != 0) return;
  parent_ = container.clone_fd();
  name_ = std::move(name);
  (void)write_at(parent_, name_ + "/cgroup.procs", std::to_string(pid));
}

ExecGroup::~ExecGroup() {
  // Stays if the exec left a daemon behind; then it goes with the container's cgroup.
  if (parent_ >= 0) (void)unlinkat(parent_, name_.c_str(), AT_REMOVEDIR);
}

void ExecGroup::kill(const Cgroup& container) const {
  bool grouped = parent_ >= 0 && write_at(parent_, name_ + "/cgroup.kill", "1");
  // Also with a group: a child forked before adopt() moved its parent would not be in it.
  std::vector<pid_t> family{pid_};
  if (!grouped) ::kill(pid_, SIGSTOP);
  for (int round = 0; round < kRounds; round++) {
    auto all = container.pids();
    if (!all || !kill_relatives(*all, family)) break;
  }
  for (pid_t pid : family) ::kill(pid, SIGKILL);
}

}  // namespace edgepod
