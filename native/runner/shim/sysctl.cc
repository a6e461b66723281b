#include "runner/shim/sysctl.h"

#include <sched.h>

#include <algorithm>
#include <string>

#include "lib/procfs.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "sysctl";

bool lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Dotted names only: with '/' or ".." the path below /proc/sys would be the writer's to choose. Interface
// names in net.ipv4.conf.<name> may be upper case and hold '-'.
bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > 128 || name.front() == '.' || name.back() == '.') return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  });
}

bool valid_value(std::string_view value) {
  if (value.empty() || value.size() > 256) return false;
  return std::all_of(value.begin(), value.end(), [](char c) {
    return lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == ' ' || c == '\t' || c == '.' || c == ',' ||
           c == '-' || c == '_';
  });
}

}  // namespace

Result<Ok> check_sysctl(std::string_view name, std::string_view value, int own_namespaces) {
  const std::string label(name.substr(0, 128));
  if (!valid_name(name)) return input_error(kStep, label + ": not a sysctl name");
  if (!valid_value(value)) return input_error(kStep, label + ": value has characters that are not allowed");
  const int needed = sysctl_namespace(name);
  // The host name is a field of its own.
  if (needed == 0 || name == "kernel.hostname")
    return input_error(kStep, label + ": not a sysctl of the pod's own namespaces", EPERM);
  if ((needed & own_namespaces) == 0)
    return input_error(kStep, label + ": the pod shares this namespace with the host", EPERM);
  return Ok{};
}

}  // namespace edgepod
