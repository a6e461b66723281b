// Extraction of one image layer into an empty directory: what the archive says, as far as it may say it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/archive/decompressor.h"
#include "lib/result.h"

namespace edgepod {

// Skip (the default): a pod's /dev is a fresh tmpfs, so nodes of an image are never needed there, and
// anywhere else they are a way to the hardware that only the device controller stands in front of. containerd
// creates them.
enum class DevicePolicy { Skip, Create };

struct LayerOptions {
  DecompressLimits limits;  // max_bytes also bounds the sum of the file sizes (holes count)
  uint64_t max_entries = 500'000;
  DevicePolicy devices = DevicePolicy::Skip;
  // "sha256:…", empty where unknown. Compared when everything has been read.
  std::string blob_digest;
  std::string diff_id;
};

struct LayerReport {
  std::string blob_digest;
  std::string diff_id;
  uint64_t blob_bytes = 0;
  uint64_t bytes = 0;    // sum of the file sizes
  uint64_t entries = 0;  // as in the archive, whiteouts included
  uint64_t devices_skipped = 0;
  uint64_t xattrs_dropped = 0;
  bool opaque_root = false;
};

// `source_fd` is read from its position to its end, or `range` of it; `target_fd` is the directory. On error
// the directory holds part of the layer and is good for nothing but removal. Errors: those of TarStream and
// TreeWriter; "layer-limit" (E2BIG); "verify-digest", "verify-diff-id" (EBADMSG); "sync".
Result<LayerReport> extract_layer(int source_fd, std::optional<ByteRange> range, int target_fd,
                                  const LayerOptions& options);

}  // namespace edgepod
