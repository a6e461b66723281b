// config.json comes from the agent, but most of its texts come from images and manifests.
#include "lib/spec.h"

#include "lib/mount_options.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto spec = edgepod::parse_spec({reinterpret_cast<const char*>(data), size});
  if (spec)
    for (const auto& mount : spec->mounts)
      (void)edgepod::parse_mount_options(mount.options, mount.type == "bind");
  return 0;
}
