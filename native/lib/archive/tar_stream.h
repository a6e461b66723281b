// Entries of a (compressed) tar read once, front to end: libarchive's tar reader fed by our Decompressor.
// Two libarchive readers in a row because the plain bytes between them are hashed (the diffID), which
// libarchive has no hook for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "lib/archive/decompressor.h"

struct archive;
struct archive_entry;

namespace edgepod {

class TarStream {
 public:
  TarStream(int fd, std::optional<ByteRange> range, const DecompressLimits& limits);
  ~TarStream();
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;

  Result<Ok> open();
  // The next entry, owned by the stream and valid until the next call; null after the last. Refused: damaged
  // headers (also those libarchive would repair with a warning) and type flags tar does not know, which
  // libarchive would take for regular files. Errors: step "read-entry".
  Result<archive_entry*> next();
  // The next block of the entry's data at its place in the file; false at the end.
  Result<bool> data(const void** block, size_t* size, int64_t* offset);
  // Reads the rest of the blob.
  Result<Ok> finish() { return plain_.drain(); }

  Decompressor& plain() { return plain_; }

 private:
  static ssize_t read_callback(archive* reader, void* self, const void** data);
  Error failure(const char* step);
  bool known_type(archive_entry* entry) const;
  char plain_byte_at(uint64_t position) const;

  Decompressor plain_;
  archive* reader_;
  std::optional<Error> plain_error_;
  // The block libarchive works on, where it starts in the plain stream, and the last bytes before it.
  std::string_view block_;
  uint64_t block_start_ = 0;
  std::array<char, 1024> tail_{};
};

}  // namespace edgepod
