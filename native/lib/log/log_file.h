// One container's log file: whole lines only, rotated by size, and never a reason for a container to stop.
// What cannot be written (disk full) is dropped and counted; the count is written as a line of its own as
// soon as there is room again.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/log/line_batch.h"
#include "lib/result.h"

namespace edgepod {

struct LogLimits {
  uint64_t max_bytes = 10u << 20;  // a file is rotated before it would grow beyond this; 0: never
  uint32_t max_files = 5;          // the current file and its rotated ones together; at least 1
};

class LogFile {
 public:
  // Opens or creates `path` (absolute) for appending, mode 0640; missing directories are made with mode
  // 0750. Symbolic links are followed only above the last three components (<pod>/<container>/<n>.log):
  // a pod that may write the log directory cannot lead the shim out of it. EMLINK and EINVAL for a file
  // that has other names or is not a regular one.
  static Result<LogFile> open(std::string_view path, LogLimits limits);

  LogFile() = default;
  LogFile(LogFile&&) noexcept = default;
  LogFile& operator=(LogFile&&) noexcept = default;

  // Writes the batch and clears it; rotates first if it would not fit.
  void append(LineBatch& batch, const timespec& now);

  // True if `more` bytes cannot be added to the file and the `gathered` ones that are to come before. Lets
  // the caller cut a batch at the limit. An empty file takes a line of any length.
  bool would_rotate(size_t gathered, size_t more) const;

  // Removes the file if nothing was ever written to it (a container that never started).
  void discard_if_empty();

  uint64_t dropped_lines() const { return dropped_lines_; }

 private:
  Result<Ok> reopen(int extra_flags);
  void rotate(const timespec& now);
  bool rename_to_rotated(const timespec& now);
  void prune();
  bool write_dropped_notice(const timespec& now);
  size_t write_lines(const LineBatch& batch);
  void drop(int lines, size_t bytes, int error);
  void cut_back(size_t written, size_t whole);

  UniqueFd dir_;
  UniqueFd file_;
  std::string name_;
  LogLimits limits_;
  uint64_t size_ = 0;
  uint64_t dropped_lines_ = 0;
  uint64_t dropped_bytes_ = 0;
  int drop_error_ = 0;
  time_t rotate_failed_at_ = 0;
  // Name of the last rotated file: its second, and its number within it.
  time_t rotated_at_ = 0;
  unsigned rotated_number_ = 0;
};

}  // namespace edgepod
