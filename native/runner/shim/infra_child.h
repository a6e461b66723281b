// The infra process between clone and exec: runs in its new namespaces, still with the shim's memory.
#pragma once

#include "runner/shim/sandbox_config.h"

namespace edgepod {

// What went wrong, as sent over the report pipe; one write, well below PIPE_BUF.
struct InfraFailure {
  char step[32];
  int err;
  char detail[128];
};

struct InfraPipes {
  int report;
  int go;  // with users of its own: a byte comes when they are mapped
};

// Sets the namespaces up and becomes `pause`. Reports a failure and ends the process.
[[noreturn]] void run_infra_child(const SandboxConfig& config, int pause, const char* pod_dir,
                                  InfraPipes pipes);

}  // namespace edgepod
