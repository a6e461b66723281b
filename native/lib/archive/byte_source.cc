#include "lib/archive/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace edgepod {
namespace {
constexpr size_t kBlock = 128 << 10;
}

ByteSource::ByteSource(int fd, std::optional<ByteRange> range) : fd_(fd), range_(range), block_(kBlock) {
  // Advice only: one pass from front to end.
  if (range_)
    (void)posix_fadvise(fd_, static_cast<off_t>(range_->offset), static_cast<off_t>(range_->size),
                        POSIX_FADV_SEQUENTIAL);
}

ssize_t ByteSource::next(const void** data) {
  size_t want = kBlock;
  if (range_) want = static_cast<size_t>(std::min<uint64_t>(kBlock, range_->size - read_));
  if (want == 0) return 0;
  ssize_t got;
  do {
    got = range_ ? pread(fd_, block_.data(), want, static_cast<off_t>(range_->offset + read_))
                 : read(fd_, block_.data(), want);
  } while (got < 0 && errno == EINTR);
  if (got == 0 && range_) {
    errno = ENODATA;
    return -1;
  }
  if (got <= 0) return got;
  hash_.update(block_.data(), static_cast<size_t>(got));
  read_ += static_cast<uint64_t>(got);
  *data = block_.data();
  return got;
}

}  // namespace edgepod
