#include "lib/lsm.h"

#include <unistd.h>

#include "lib/procfs.h"

namespace edgepod {

Result<Ok> set_apparmor_profile(const std::string& profile) {
  constexpr const char* kStep = "apparmor";
  if (profile.empty()) return Ok{};
  // Not by a /proc path of the container: a fake file there would swallow the label (CVE-2019-16884).
  auto proc = open_private_proc();
  if (!proc) return std::move(proc.error());
  // This process as that procfs numbers it.
  char self[16];
  const ssize_t n = readlinkat(proc->get(), "self", self, sizeof self);
  if (n <= 0 || n == static_cast<ssize_t>(sizeof self)) return errno_error(kStep, "self");
  const std::string directory = std::string(self, static_cast<size_t>(n)) + "/attr/";
  const std::string value = "exec " + profile;
  auto written = write_proc(proc->get(), (directory + "apparmor/exec").c_str(), value, kStep);
  // The module's own directory is there since 5.8; before, one file serves whichever module is active.
  if (!written && written.error().err == ENOENT && access("/sys/module/apparmor", F_OK) == 0)
    written = write_proc(proc->get(), (directory + "exec").c_str(), value, kStep);
  if (!written && written.error().err == ENOENT)
    return input_error(kStep, profile + ": this kernel has no AppArmor", ENOTSUP);
  if (!written) return Error{kStep, written.error().err, profile};
  return Ok{};
}

}  // namespace edgepod
