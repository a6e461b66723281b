// Layers of any bytes at all, extracted below a scratch directory: whatever
// they say, nothing outside of it changes, and it can be removed again. The
// first byte chooses how the rest is wrapped.
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>

#include "../tar_builder.h"
#include "lib/archive/extract.h"
#include "lib/archive/tar_index.h"

using namespace edgepod;

// Mutations would hardly ever get past the checksum of a header.
static void correct_checksums(std::string &tar) {
  for (size_t at = 0; at + 512 <= tar.size(); at += 512) {
    char *block = tar.data() + at;
    if (std::memcmp(block + 257, "ustar", 5) != 0) continue;
    std::memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++) sum += static_cast<unsigned char>(block[i]);
    std::snprintf(block + 148, 8, "%06o", sum);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  std::string tar(reinterpret_cast<const char *>(data) + 1, size - 1);
  if ((data[0] & 8) == 0) correct_checksums(tar);
  const UniqueFd file = file_of(data[0] % 3 == 0 ? tar : packed(tar, data[0] % 3 == 2));
  // A canary next to the target: the only thing "../" could reach.
  ScratchDir around("/dev/shm");  // a real disk would spend its time flushing
  if (mkdirat(around.fd(), "layer", 0755) != 0 || mkdirat(around.fd(), "canary", 0755) != 0) abort();
  UniqueFd target(openat(around.fd(), "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  LayerOptions options;
  options.max_entries = 200;
  options.limits.max_bytes = 1 << 20;
  options.devices = data[0] & 4 ? DevicePolicy::Create : DevicePolicy::Skip;
  (void)extract_layer(file.get(), std::nullopt, target.get(), options);
  (void)index_tar(file.get(), [](const IndexEntry &) {});
  if (unlinkat(around.fd(), "canary", AT_REMOVEDIR) != 0) abort();
  if (!remove_tree(around.fd(), "layer")) abort();
  return 0;
}
