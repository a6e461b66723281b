// What is remembered of an OCI container between commands: <root>/<id>/state.json, and exec.fifo until it is
// started.
#pragma once

#include <sys/types.h>

#include <string>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spec.h"
#include "runner/oci/oci.h"

namespace edgepod {

struct OciState {
  std::string id, bundle, cgroup, created;
  pid_t pid = -1;
  int64_t start_time =
      0;  // of the process, in clock ticks since boot: tells it from a later owner of the number
};

enum class OciStatus { Created, Running, Stopped };

// <root>/<id>, 0700, exclusively: EEXIST if the id is in use. Error step "state".
Result<UniqueFd> make_state_dir(const OciOptions& options);
Result<UniqueFd> open_state_dir(const OciOptions& options);
Result<Ok> remove_state_dir(const OciOptions& options);

Result<Ok> save_state(int state_dir, const OciState& state);
Result<OciState> load_state(int state_dir);
OciStatus status_of(int state_dir, const OciState& state);

// Field 22 of /proc/<pid>/stat; 0 when there is no such process or it is a zombie.
int64_t process_start_time(pid_t pid);

// The bundle's config.json.
Result<Spec> load_spec(int bundle_dir);

inline constexpr const char* kGateName = "exec.fifo";

}  // namespace edgepod
