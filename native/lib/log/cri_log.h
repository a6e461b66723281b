// A container's output as CRI log lines: `2016-10-06T00:17:09.669794202Z stdout F text`.
// F is a line that ended with a newline, P a part of one: lines longer than 16 KiB are cut, and what stands
// at the end of a stream without a newline is written as P. Bytes are passed through as they are.
#pragma once

#include <cstddef>
#include <ctime>
#include <string_view>
#include <utility>

#include "lib/log/log_file.h"
#include "lib/result.h"

namespace edgepod {

enum class LogStream { Stdout = 0, Stderr = 1 };

// As containerd; kubelet's reader joins the parts.
constexpr size_t kMaxLogLine = 16 * 1024;

class CriLog {
 public:
  // Errors are those of LogFile::open.
  static Result<CriLog> open(std::string_view path, LogLimits limits);

  CriLog() = default;
  CriLog(CriLog&&) noexcept = default;
  CriLog& operator=(CriLog&&) noexcept = default;

  // Logs what was read from one stream, all lines with the time of that read. Allocates nothing, except
  // once per stream for the first unfinished line.
  void write(LogStream stream, const char* data, size_t size, const timespec& now);

  // The stream ended: an unfinished line is written as P.
  void finish(LogStream stream, const timespec& now);

  LogFile& file() { return file_; }

 private:
  // The unfinished line of a stream: mapped when first needed, so that only touched pages cost memory.
  class Partial {
   public:
    Partial() = default;
    Partial(Partial&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), used_(std::exchange(other.used_, 0)) {}
    Partial& operator=(Partial&& other) noexcept;
    ~Partial();

    size_t size() const { return used_; }
    std::string_view text() const { return {data_, used_}; }
    void clear() { used_ = 0; }
    // False if there is no memory to keep it in.
    bool append(const char* data, size_t size);

   private:
    char* data_ = nullptr;
    size_t used_ = 0;
  };

  LogFile file_;
  Partial partial_[2];
};

}  // namespace edgepod
