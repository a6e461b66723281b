#include "lib/archive/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstring>

#include "lib/archive/entry_name.h"

namespace edgepod {

TarStream::TarStream(int fd, std::optional<ByteRange> range, const DecompressLimits& limits)
    : plain_(fd, range, limits), reader_(archive_read_new()) {}

TarStream::~TarStream() { archive_read_free(reader_); }

Result<Ok> TarStream::open() {
  EDGEPOD_TRY(plain_.open());
  if (!reader_) return Error{"open-layer", ENOMEM, "out of memory"};
  archive_read_support_format_tar(reader_);
  if (archive_read_open(reader_, this, nullptr, read_callback, nullptr) != ARCHIVE_OK)
    return failure("open-layer");
  return Ok{};
}

ssize_t TarStream::read_callback(archive* reader, void* self, const void** data) {
  auto* me = static_cast<TarStream*>(self);
  // Keep the end of the block that is about to go: a header may lie just before the next one.
  auto& tail = me->tail_;
  const size_t keep = std::min(me->block_.size(), tail.size());
  std::memmove(tail.data(), tail.data() + keep, tail.size() - keep);
  if (keep > 0)
    std::memcpy(tail.data() + tail.size() - keep, me->block_.data() + me->block_.size() - keep, keep);
  me->block_start_ += me->block_.size();
  me->block_ = {};
  auto block = me->plain_.next();
  if (!block) {
    me->plain_error_ = std::move(block.error());
    archive_set_error(reader, EIO, "input failed");
    return -1;
  }
  me->block_ = *block;
  *data = block->data();
  return static_cast<ssize_t>(block->size());
}

Error TarStream::failure(const char* step) {
  if (plain_error_) return *plain_error_;
  const char* text = archive_error_string(reader_);
  return input_error(step, text ? text : "not a tar archive", EBADMSG);
}

Result<archive_entry*> TarStream::next() {
  archive_entry* entry = nullptr;
  const int status = archive_read_next_header(reader_, &entry);
  if (status == ARCHIVE_EOF) return static_cast<archive_entry*>(nullptr);
  // libarchive cannot express a non-ASCII name in the C locale, warns with EILSEQ and hands out the bytes as
  // they are in the archive: exactly what a file name is. Any other warning is a header it had to guess
  // about.
  if (status != ARCHIVE_OK && !(status == ARCHIVE_WARN && archive_errno(reader_) == EILSEQ))
    return failure("read-entry");
  if (!archive_entry_pathname(entry)) return input_error("read-entry", "an entry has no name");
  if (!known_type(entry))
    return input_error("read-entry",
                       "entry " + quoted_name(archive_entry_pathname(entry)) + ": unknown type of entry",
                       ENOTSUP);
  return entry;
}

Result<bool> TarStream::data(const void** block, size_t* size, int64_t* offset) {
  la_int64_t position;
  const int status = archive_read_data_block(reader_, block, size, &position);
  if (status == ARCHIVE_EOF) return false;
  if (status != ARCHIVE_OK) return failure("read-entry");
  *offset = position;
  return true;
}

// libarchive hides the type flag, but the header it just consumed ends where the data begins, and that part
// of the plain stream is still at hand. Sparse files have more blocks in between; their type is known to be
// right.
bool TarStream::known_type(archive_entry* entry) const {
  constexpr uint64_t kBlock = 512, kFlagOffset = 156;
  const int64_t data_start = archive_filter_bytes(reader_, 0);
  if (archive_entry_sparse_count(entry) > 0 || data_start < static_cast<int64_t>(kBlock)) return true;
  const char flag = plain_byte_at(static_cast<uint64_t>(data_start) - kBlock + kFlagOffset);
  return flag == '\0' || (flag >= '0' && flag <= '7') || flag == 'S';
}

char TarStream::plain_byte_at(uint64_t position) const {
  if (position >= block_start_) {
    const uint64_t index = position - block_start_;
    return index < block_.size() ? block_[index] : '\0';
  }
  const uint64_t back = block_start_ - position;
  return back <= tail_.size() ? tail_[tail_.size() - back] : '\0';
}

}  // namespace edgepod
