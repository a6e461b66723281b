// The OCI runtime command line: create, start, state, kill, delete, run, exec, features.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"

namespace edgepod {

int oci_main(int argc, char** argv);

// seal_executable() with the failure as one JSON line on stdout and text on stderr.
bool seal_or_complain(char** argv);

struct OciOptions {
  std::string root = "/run/edgepod-runner";  // state directories
  std::string log;                           // file that errors are appended to; empty: stderr only
  bool log_json = false;
  std::string command, id;
  std::string bundle = ".", pid_file, cwd;
  std::vector<std::string> env, args;  // exec
  std::string signal = "TERM";
  bool all = false, force = false, detach = false;
};

// Error step "usage"; `detail` says what to do instead where something known is not supported.
Result<OciOptions> parse_oci_options(int argc, char** argv);

// Each returns the exit status of the command. Errors become a message and exit status 1 (or 126/127, see
// run).
Result<int> oci_create(const OciOptions& options);
Result<int> oci_run(const OciOptions& options);
Result<int> oci_exec(const OciOptions& options);
Result<int> oci_start(const OciOptions& options);
Result<int> oci_state(const OciOptions& options);
Result<int> oci_kill(const OciOptions& options);
Result<int> oci_delete(const OciOptions& options);
Result<int> oci_features(const OciOptions& options);

}  // namespace edgepod
