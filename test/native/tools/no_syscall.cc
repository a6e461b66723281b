// no_syscall NAME[,NAME...] PROGRAM ARG...: runs a program on a kernel that
// lacks the named system calls.
#include "../no_syscall.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

struct Named {
  std::string_view name;
  int number;
};
constexpr Named kCalls[] = {
    {"clone3", SYS_clone3},
    {"openat2", SYS_openat2},
    {"close_range", SYS_close_range},
    {"open_tree", SYS_open_tree},
    {"move_mount", SYS_move_mount},
    {"fsopen", SYS_fsopen},
    {"fsmount", SYS_fsmount},
    {"mount_setattr", 442},
    {"pidfd_open", SYS_pidfd_open},
    {"faccessat2", SYS_faccessat2},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
};

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  std::vector<int> numbers;
  for (std::string_view left = argv[1]; !left.empty();) {
    const size_t comma = std::min(left.find(','), left.size());
    bool known = false;
    for (const Named &call : kCalls)
      if (call.name == left.substr(0, comma)) {
        numbers.push_back(call.number);
        known = true;
      }
    if (!known) return 2;
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
  if (!take_syscalls_away(numbers)) {
    std::perror("no_syscall");
    return 2;
  }
  execv(argv[2], argv + 2);
  std::perror(argv[2]);
  return 2;
}
