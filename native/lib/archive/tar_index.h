// Table of contents of an uncompressed tar file: where in the file each entry's data is, so that a reader can
// take blobs by offset and no other tar parser is needed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lib/result.h"

namespace edgepod {

struct IndexEntry {
  std::string name;       // "a/b": clean, relative, printable ASCII
  const char* type = "";  // "file", "directory", "symlink", "hardlink"
  std::string link;       // target as in the archive, of links
  uint64_t offset = 0;
  uint64_t size = 0;
};

// Calls `each` for every entry in order. `fd` must be a seekable file at its start. Refused: names that are
// absolute, climb, or are not printable ASCII, other types, sparse files, data beyond the end of the file,
// more than 20,000 entries. Error steps: "read-index", "entry-name".
Result<Ok> index_tar(int fd, const std::function<void(const IndexEntry&)>& each);

}  // namespace edgepod
