// sandbox.json: written by the agent from a manifest. What is accepted keeps to the pod's own namespaces.
#include <cstdint>
#include <cstdlib>

#include "lib/procfs.h"
#include "lib/user_namespace.h"
#include "runner/shim/sandbox_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgepod;
  auto config = parse_sandbox_config({reinterpret_cast<const char*>(data), size});
  if (!config) return 0;
  if (config->own_users != (config->first_user >= kUserRange)) std::abort();
  for (const auto& [name, value] : config->sysctls) {
    if (sysctl_namespace(name) == 0 || name.find("..") != name.npos || name.find('/') != name.npos)
      std::abort();
    if (value.find('\n') != value.npos) std::abort();
  }
  return 0;
}
