#include "lib/archive/decompressor.h"

#include <archive.h>
#include <archive_entry.h>

#include <cstring>

namespace edgepod {

Decompressor::Decompressor(int fd, std::optional<ByteRange> range, const DecompressLimits& limits)
    : source_(fd, range), limits_(limits), reader_(archive_read_new()) {}

Decompressor::~Decompressor() { archive_read_free(reader_); }

ssize_t Decompressor::read_callback(archive* reader, void* self, const void** data) {
  auto* me = static_cast<Decompressor*>(self);
  const ssize_t got = me->source_.next(data);
  if (got < 0) {
    me->read_errno_ = errno;
    archive_set_error(reader, errno, "read failed");
  }
  return got;
}

Error Decompressor::failure(const char* step) const {
  if (read_errno_ == ENODATA) return Error{step, ENODATA, "the file ends before the layer does"};
  if (read_errno_ != 0) return Error{step, read_errno_, "cannot read the layer"};
  const char* text = archive_error_string(reader_);
  return input_error(step, text ? text : "the data is damaged", EBADMSG);
}

Result<Ok> Decompressor::open() {
  if (!reader_) return Error{"open-layer", ENOMEM, "out of memory"};
  // ARCHIVE_WARN would mean a libarchive that runs an external `zstd` for us: not here.
  if (archive_read_support_filter_gzip(reader_) != ARCHIVE_OK ||
      archive_read_support_filter_zstd(reader_) != ARCHIVE_OK)
    return input_error("open-layer", "this libarchive lacks gzip or zstd", ENOTSUP);
  archive_read_support_format_raw(reader_);
  archive_entry* entry;
  if (archive_read_open(reader_, this, nullptr, read_callback, nullptr) != ARCHIVE_OK ||
      archive_read_next_header(reader_, &entry) != ARCHIVE_OK) {
    if (source_.bytes_read() == 0 && read_errno_ == 0)
      return input_error("open-layer", "the layer is empty", EBADMSG);
    return failure("open-layer");
  }
  return Ok{};
}

Result<std::string_view> Decompressor::next() {
  const void* data;
  size_t size;
  la_int64_t offset;
  for (;;) {
    const int status = archive_read_data_block(reader_, &data, &size, &offset);
    if (status == ARCHIVE_EOF) return std::string_view();
    if (status != ARCHIVE_OK) return failure("decompress");
    if (size > 0) break;
  }
  plain_ += size;
  if (plain_ > limits_.max_bytes)
    return input_error("layer-limit",
                       "more than " + std::to_string(limits_.max_bytes) + " bytes uncompressed", E2BIG);
  if (plain_ > limits_.ratio_free && plain_ / limits_.max_ratio > source_.bytes_read())
    return input_error(
        "layer-limit",
        "expands more than " + std::to_string(limits_.max_ratio) + " times: a decompression bomb", E2BIG);
  hash_.update(data, size);
  return std::string_view(static_cast<const char*>(data), size);
}

Result<Ok> Decompressor::drain() {
  for (;;) {
    auto block = next();
    if (!block) return std::move(block.error());
    if (block->empty()) return Ok{};
  }
}

}  // namespace edgepod
