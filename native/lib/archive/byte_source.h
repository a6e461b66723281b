// The compressed bytes of one blob: a whole descriptor (file, pipe) or a range of a file, hashed as they are
// read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/archive/sha256.h"

namespace edgepod {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

class ByteSource {
 public:
  // `fd` is borrowed. Without a range it is read to its end; with one it must be seekable.
  ByteSource(int fd, std::optional<ByteRange> range);

  // The next block: its size, 0 at the end, -1 with errno. `*data` is valid until the next call. The end of
  // the file before the end of the range is an error (EPIPE has no better name here: ENODATA).
  ssize_t next(const void** data);

  uint64_t bytes_read() const { return read_; }
  // Of everything read; only the digest of the blob once the end has been seen.
  std::string digest() { return hash_.digest(); }

 private:
  int fd_;
  std::optional<ByteRange> range_;
  uint64_t read_ = 0;
  std::vector<char> block_;
  Sha256 hash_;
};

}  // namespace edgepod
