#include "runner/shim/exit_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <string>

#include "lib/fd.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "exit-file";

std::string file_name(std::string_view name, uint32_t attempt) {
  return std::string(name) + '-' + std::to_string(attempt) + ".json";
}

}  // namespace

void remove_exit_file(int exits_dir, std::string_view name, uint32_t attempt) {
  (void)unlinkat(exits_dir, file_name(name, attempt).c_str(), 0);
}

Result<Ok> write_exit_file(int exits_dir, const ContainerView& container) {
  JsonText json;
  put_container(json, container);
  const std::string text = json.finish();
  const std::string name = file_name(container.name, container.attempt);
  const std::string temporary = '.' + name + ".tmp";
  UniqueFd file(
      openat(exits_dir, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return errno_error(kStep, temporary);
  auto written = write_all(file.get(), text.data(), text.size(), kStep);
  // The run directory is a tmpfs: its content does not survive a power cut, so there is nothing to sync.
  if (written && renameat(exits_dir, temporary.c_str(), exits_dir, name.c_str()) == 0) return Ok{};
  Error error = written ? errno_error(kStep, name) : std::move(written.error());
  (void)unlinkat(exits_dir, temporary.c_str(), 0);
  return error;
}

}  // namespace edgepod
