// Whom /proc/<pid>/status names, and how a child that has ended is still known.
#include "runner/shim/process_user.h"

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

using namespace edgepod;

int main() {
  constexpr const char* kText =
      "Name:\tx\nUid:\t1073741824\t1\t1\t1\nGid:\t1073741831\t0\nGroups:\t1073741831 44 \nVmRSS: 1\n";
  const ProcessUser mapped = parse_process_user(kText, 0x40000000);
  CHECK_EQ(mapped.uid, 0u);
  CHECK_EQ(mapped.gid, 7u);
  CHECK(mapped.groups == (std::vector<uint32_t>{7, 44}));
  CHECK_EQ(parse_process_user(kText, 0).uid, 1073741824u);
  CHECK(parse_process_user("Uid:\t5\t5\nGid:\t6\nGroups:\t\n", 0).groups.empty());
  for (const char* odd : {"", "Uid:", "Uid:\t\n", "Uid:\tx\nGid:\t99999999999\nGroups", "\n\n"})
    CHECK_EQ(parse_process_user(odd, 0).uid, 0u);
  std::string many = "Groups:\t";
  for (int i = 1; i < 1000; i++) many += std::to_string(i) + ' ';
  CHECK_EQ(parse_process_user(many, 0).groups.size(), 32u);

  const pid_t child = fork();
  if (child == 0) _exit(setresgid(77, 77, 77) == 0 && setresuid(1234, 1234, 1234) == 0 ? 0 : 1);
  siginfo_t info;
  CHECK(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  const ProcessUser ended = process_user(child, 0);
  CHECK_EQ(ended.uid, 1234u);
  CHECK_EQ(ended.gid, 77u);
  waitpid(child, nullptr, 0);
  CHECK_EQ(process_user(child, 0).uid, 0u);
  return check_report();
}
