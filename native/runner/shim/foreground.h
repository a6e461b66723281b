// The split into the foreground process, which waits for the outcome of the start, and the daemon.
#pragma once

#include <string>

#include "lib/cgroup/cgroup.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct Daemon {
  UniqueFd report;    // for report_started() or report_failed()
  bool born_at_home;  // in the unified hierarchy: see Cgroup::join
};

// Returns in the daemon, which is born in the cgroup `home` where the kernel can. In the foreground process
// this call returns only when there can be no daemon; else it exits 0 when the daemon reported success, or
// prints the daemon's error as one JSON line and exits 1.
Result<Daemon> daemonize(const Cgroup& home);

// Tells the foreground process how the start went, and lets it go.
void report_started(UniqueFd report);
void report_failed(UniqueFd report, const Error& error);

// {"error":{…}} on standard output.
void print_error(const Error& error);

}  // namespace edgepod
