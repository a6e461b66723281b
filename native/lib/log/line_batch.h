// Log lines gathered for one writev(2). Points into the caller's buffers and copies nothing.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace edgepod {

class LineBatch {
 public:
  static constexpr int kLines = 48;

  bool full() const { return lines_ == kLines; }
  bool empty() const { return lines_ == 0; }
  size_t bytes() const { return bytes_; }
  int lines() const { return lines_; }
  const iovec* iov() const { return iov_; }
  int iov_count() const { return iovs_; }

  // One line: header + first + second + end. `end` is a newline, or empty where `second` has its own.
  void add(std::string_view header, std::string_view first, std::string_view second, std::string_view end) {
    put(header);
    put(first);
    put(second);
    put(end);
    ends_[lines_++] = static_cast<uint32_t>(bytes_);
  }

  // How many lines fit whole into the first `written` bytes, and where the last of them ends.
  int whole_lines(size_t written) const {
    int whole = 0;
    while (whole < lines_ && ends_[whole] <= written) whole++;
    return whole;
  }
  size_t end_of(int line_count) const { return line_count == 0 ? 0 : ends_[line_count - 1]; }

  void clear() {
    iovs_ = 0;
    lines_ = 0;
    bytes_ = 0;
  }

 private:
  void put(std::string_view part) {
    if (part.empty()) return;
    iov_[iovs_++] = {const_cast<char*>(part.data()), part.size()};
    bytes_ += part.size();
  }

  iovec iov_[kLines * 4];
  uint32_t ends_[kLines];
  int iovs_ = 0;
  int lines_ = 0;
  size_t bytes_ = 0;
};

}  // namespace edgepod
