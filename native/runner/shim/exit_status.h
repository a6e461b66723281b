// How a process ended, in the terms of a Kubernetes terminated container state.
#pragma once

#include <csignal>
#include <ctime>

namespace edgepod {

struct ExitStatus {
  int code = 0;    // exit code, or 128 + signal
  int signal = 0;  // 0: it exited by itself
  bool oom_killed = false;
  timespec started_at{};
  timespec finished_at{};
};

// From what waitid(2) reports. Start and end times are left to the caller.
inline ExitStatus exit_status(const siginfo_t& info) {
  ExitStatus status;
  status.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
  status.code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  return status;
}

}  // namespace edgepod
