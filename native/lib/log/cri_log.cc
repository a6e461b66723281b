#include "lib/log/cri_log.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "lib/log/line_batch.h"
#include "lib/log/timestamp.h"

namespace edgepod {
namespace {

constexpr size_t kHeaderSize = kTimestampSize + sizeof " stdout F " - 1;
constexpr size_t kTagAt = kHeaderSize - 2;

// The two headers a read can need; all its lines share one time.
class Headers {
 public:
  Headers(LogStream stream, const timespec& now) {
    format_timestamp(now, full_);
    memcpy(full_ + kTimestampSize, stream == LogStream::Stdout ? " stdout F " : " stderr F ",
           kHeaderSize - kTimestampSize);
    memcpy(part_, full_, kHeaderSize);
    part_[kTagAt] = 'P';
  }
  std::string_view full() const { return {full_, kHeaderSize}; }
  std::string_view part() const { return {part_, kHeaderSize}; }

 private:
  char full_[kHeaderSize];
  char part_[kHeaderSize];
};

// A batch that writes itself out when full or when the next line belongs into the next file.
class Output {
 public:
  Output(LogFile& file, const timespec& now) : file_(file), now_(now) {}
  ~Output() { flush(); }

  void add(std::string_view header, std::string_view first, std::string_view second, std::string_view end) {
    size_t size = header.size() + first.size() + second.size() + end.size();
    if (batch_.full() || file_.would_rotate(batch_.bytes(), size)) flush();
    batch_.add(header, first, second, end);
  }
  void flush() { file_.append(batch_, now_); }

 private:
  LogFile& file_;
  const timespec& now_;
  LineBatch batch_;
};

}  // namespace

CriLog::Partial& CriLog::Partial::operator=(Partial&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(used_, other.used_);
  return *this;
}

CriLog::Partial::~Partial() {
  if (data_ != nullptr) munmap(data_, kMaxLogLine);
}

bool CriLog::Partial::append(const char* data, size_t size) {
  if (data_ == nullptr) {
    void* map = mmap(nullptr, kMaxLogLine, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return false;
    data_ = static_cast<char*>(map);
  }
  memcpy(data_ + used_, data, size);
  used_ += size;
  return true;
}

Result<CriLog> CriLog::open(std::string_view path, LogLimits limits) {
  auto file = LogFile::open(path, limits);
  if (!file) return std::move(file.error());
  CriLog log;
  log.file_ = std::move(*file);
  return log;
}

void CriLog::write(LogStream stream, const char* data, size_t size, const timespec& now) {
  Partial& partial = partial_[static_cast<int>(stream)];
  Headers headers(stream, now);
  Output output(file_, now);
  // Only the first line of a read can have a beginning that came earlier.
  std::string_view begun = partial.text();
  while (size != 0) {
    size_t room = kMaxLogLine - begun.size();
    auto* newline = static_cast<const char*>(memchr(data, '\n', std::min(size, room + 1)));
    size_t length = newline != nullptr ? static_cast<size_t>(newline - data) + 1 : room;
    if (newline == nullptr && size <= room) break;
    // A line that is cut has no newline in the data.
    output.add(newline != nullptr ? headers.full() : headers.part(), begun, {data, length},
               newline != nullptr ? "" : "\n");
    begun = {};
    data += length;
    size -= length;
  }
  output.flush();
  if (begun.empty()) partial.clear();
  if (size == 0) return;
  if (!partial.append(data, size)) output.add(headers.part(), {}, {data, size}, "\n");
}

void CriLog::finish(LogStream stream, const timespec& now) {
  Partial& partial = partial_[static_cast<int>(stream)];
  if (partial.size() == 0) return;
  Headers headers(stream, now);
  LineBatch batch;
  batch.add(headers.part(), partial.text(), {}, "\n");
  file_.append(batch, now);
  partial.clear();
}

}  // namespace edgepod
