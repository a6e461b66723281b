// The split into the foreground process, which waits for the outcome of the start, and the daemon.
#pragma once

#include <string>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

// In the daemon: the pipe end to report() on. In the foreground process this call does not return: it exits 0
// when the daemon reported success, or prints the daemon's error as one JSON line and exits 1.
UniqueFd daemonize();

// Tells the foreground process how the start went, and lets it go.
void report_started(UniqueFd report);
void report_failed(UniqueFd report, const Error& error);

// {"error":{…}} on standard output.
void print_error(const Error& error);

}  // namespace edgepod
