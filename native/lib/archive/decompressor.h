// Plain bytes of a gzip, zstd or uncompressed blob, with digests of both sides and a guard against bombs.
// The decoding is libarchive's: its filters in front of its "raw" format.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/archive/byte_source.h"
#include "lib/result.h"

struct archive;

namespace edgepod {

struct DecompressLimits {
  uint64_t max_bytes = 16ULL << 30;  // of plain output
  // gzip reaches 1032:1 and zstd far more on zeros; real layers stay under 20:1. The ratio counts only beyond
  // `ratio_free` plain bytes, so that small layers of zeros are fine.
  uint64_t max_ratio = 250;
  uint64_t ratio_free = 64ULL << 20;
};

class Decompressor {
 public:
  Decompressor(int fd, std::optional<ByteRange> range, const DecompressLimits& limits);
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Error step "open-layer".
  Result<Ok> open();
  // The next plain block, empty at the end; valid until the next call. Gzip members and zstd frames may
  // follow one another. Errors: "decompress" (damaged, truncated), "layer-limit" (E2BIG).
  Result<std::string_view> next();
  // Reads what is left, so that both digests cover everything (the padding after a tar's end belongs to its
  // diffID).
  Result<Ok> drain();

  // After the end: "sha256:…" of the blob as it was read and of its plain bytes.
  std::string blob_digest() { return source_.digest(); }
  std::string plain_digest() { return hash_.digest(); }
  uint64_t blob_bytes() const { return source_.bytes_read(); }
  uint64_t plain_bytes() const { return plain_; }

 private:
  static ssize_t read_callback(archive* reader, void* self, const void** data);
  Error failure(const char* step) const;

  ByteSource source_;
  DecompressLimits limits_;
  archive* reader_;
  int read_errno_ = 0;
  uint64_t plain_ = 0;
  Sha256 hash_;
};

}  // namespace edgepod
