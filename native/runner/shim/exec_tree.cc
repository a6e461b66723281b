#include "runner/shim/exec_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "lib/fd.h"

namespace edgepod {
namespace {

constexpr int kMaxRounds = 32;

// Field 4 of /proc/<pid>/stat; 0 if the process is gone. The command name in field 2 may hold anything, also
// parentheses: what follows the last ')' is safe to read.
pid_t parent_of(pid_t pid) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  ssize_t size = fd ? read(fd.get(), text, sizeof text - 1) : -1;
  if (size <= 0) return 0;
  text[size] = '\0';
  const char* end_of_name = strrchr(text, ')');
  pid_t parent = 0;
  if (end_of_name == nullptr || sscanf(end_of_name + 1, " %*c %d", &parent) != 1) return 0;
  return parent;
}

bool contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// Stops every process whose parent is in `family` and adds it. False: nobody new.
bool stop_children(const std::vector<pid_t>& all, std::vector<pid_t>& family) {
  size_t before = family.size();
  for (pid_t pid : all) {
    if (contains(family, pid) || !contains(family, parent_of(pid))) continue;
    family.push_back(pid);
    ::kill(pid, SIGSTOP);
  }
  return family.size() != before;
}

}  // namespace

void kill_exec_tree(const Cgroup& container, pid_t root) {
  // A parent is stopped before its children are looked for, so that none escapes by being born late; and
  // nobody who is stopped can end and give its number to a stranger.
  std::vector<pid_t> family{root};
  ::kill(root, SIGSTOP);
  for (int round = 0; round < kMaxRounds; round++) {
    auto all = container.pids();
    if (!all || !stop_children(*all, family)) break;
  }
  for (pid_t pid : family) ::kill(pid, SIGKILL);
}

}  // namespace edgepod
