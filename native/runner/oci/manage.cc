// start, state, kill, delete.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "lib/cgroup/cgroup.h"
#include "lib/sys.h"
#include "lib/users.h"
#include "runner/oci/state.h"
#include "runner/shim/signal_name.h"

namespace edgepod {
namespace {

struct Opened {
  UniqueFd dir;
  OciState state;
  OciStatus status;
};

Result<Opened> open_container(const OciOptions& options) {
  auto dir = open_state_dir(options);
  if (!dir) return std::move(dir.error());
  auto state = load_state(dir->get());
  if (!state) return std::move(state.error());
  Opened out{std::move(*dir), std::move(*state), OciStatus::Stopped};
  out.status = status_of(out.dir.get(), out.state);
  return out;
}

const char* status_name(OciStatus status) {
  if (status == OciStatus::Created) return "created";
  return status == OciStatus::Running ? "running" : "stopped";
}

// Killed processes leave their cgroup a moment later.
Result<Ok> remove_cgroup(const std::string& path) {
  auto cgroup = Cgroup::open(path);
  if (!cgroup) return cgroup.error().err == ENOENT ? Result<Ok>(Ok{}) : std::move(cgroup.error());
  EDGEPOD_TRY(cgroup->kill_all());
  return cgroup->remove();
}

}  // namespace

Result<int> oci_start(const OciOptions& options) {
  auto container = open_container(options);
  if (!container) return std::move(container.error());
  if (container->status != OciStatus::Created)
    return input_error("state",
                       "container " + options.id + " is " + status_name(container->status) + ", not created");
  // Non-blocking: without a reader the process has just died.
  UniqueFd gate(openat(container->dir.get(), kGateName, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!gate) return errno_error("start", options.id);
  EDGEPOD_TRY(write_all(gate.get(), "s", 1, "start"));
  unlinkat(container->dir.get(), kGateName, 0);
  return 0;
}

Result<int> oci_state(const OciOptions& options) {
  auto container = open_container(options);
  if (!container) return std::move(container.error());
  const OciState& state = container->state;
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  const auto add = [&](const char* key, const char* value) {
    writer.Key(key);
    writer.String(value);
  };
  add("ociVersion", "1.2.0");
  add("id", state.id.c_str());
  add("status", status_name(container->status));
  writer.Key("pid");
  writer.Int(container->status == OciStatus::Stopped ? 0 : state.pid);
  add("bundle", state.bundle.c_str());
  add("created", state.created.c_str());
  writer.EndObject();
  printf("%s\n", buffer.GetString());
  return 0;
}

Result<int> oci_kill(const OciOptions& options) {
  const auto number = signal_number(options.signal);
  if (!number) return input_error("kill", "\"" + options.signal + "\" is not a signal");
  auto container = open_container(options);
  if (!container) return std::move(container.error());
  const OciState& state = container->state;
  if (options.all) {
    auto cgroup = Cgroup::open(state.cgroup);
    if (!cgroup) return std::move(cgroup.error());
    if (*number == SIGKILL) {
      EDGEPOD_TRY(cgroup->kill_all());
      return 0;
    }
    auto pids = cgroup->pids();
    if (!pids) return std::move(pids.error());
    for (const pid_t pid : *pids) kill(pid, *number);
    return 0;
  }
  UniqueFd pidfd(sys_pidfd_open(state.pid));
  // After the pidfd is open the start time proves that it is of the right process.
  if (process_start_time(state.pid) != state.start_time)
    return input_error("kill", "container " + options.id + " is not running", ESRCH);
  const int sent = pidfd ? sys_pidfd_send_signal(pidfd.get(), *number) : kill(state.pid, *number);
  if (sent < 0) return errno_error("kill", options.id);
  return 0;
}

Result<int> oci_delete(const OciOptions& options) {
  auto container = open_container(options);
  if (!container) {
    if (!options.force) return std::move(container.error());
    (void)remove_state_dir(options);
    return 0;
  }
  if (container->status == OciStatus::Running && !options.force)
    return input_error("delete", "container " + options.id + " is running: kill it first, or use --force",
                       EBUSY);
  EDGEPOD_TRY(remove_cgroup(container->state.cgroup));
  EDGEPOD_TRY(remove_state_dir(options));
  return 0;
}

}  // namespace edgepod
