#include "lib/log/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "lib/log/log_dir.h"
#include "lib/log/timestamp.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "log-open";
constexpr unsigned kRenameNoReplace = 1;
constexpr unsigned kMaxSameSecond = 99999;

const char* reason(int error) {
  switch (error) {
    case ENOSPC:
      return "no space left on device";
    case EDQUOT:
      return "disk quota exceeded";
    case EFBIG:
      return "file too large";
    case EROFS:
      return "read-only file system";
    case EIO:
      return "input/output error";
    default:
      return "write failed";
  }
}

// rename(2) that fails with EEXIST rather than replace. File systems without the flag (vfat) say EINVAL.
int rename_new(int dir, const char* from, const char* to) {
  if (syscall(SYS_renameat2, dir, from, dir, to, kRenameNoReplace) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (faccessat(dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return -1;
  }
  return renameat(dir, from, dir, to);
}

}  // namespace

Result<LogFile> LogFile::open(std::string_view path, LogLimits limits) {
  auto location = open_log_dir(path);
  if (!location) return std::move(location.error());
  LogFile log;
  log.dir_ = std::move(location->dir);
  log.name_ = std::move(location->name);
  log.limits_ = limits;
  if (log.limits_.max_files == 0) log.limits_.max_files = 1;
  EDGEPOD_TRY(log.reopen(0));
  return log;
}

Result<Ok> LogFile::reopen(int extra_flags) {
  // O_NONBLOCK: were the name a FIFO, opening it must not hang the shim.
  UniqueFd file(openat(dir_.get(), name_.c_str(),
                       O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | extra_flags,
                       0640));
  if (!file) return errno_error(kStep, name_);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return errno_error(kStep, name_);
  if (!S_ISREG(info.st_mode)) return input_error(kStep, name_ + " is not a regular file");
  // A second name means somebody linked a file of theirs, or of the system, to be appended to.
  if (info.st_nlink > 1) return input_error(kStep, name_ + " has more than one name", EMLINK);
  (void)fchmod(file.get(), 0640);
  file_ = std::move(file);
  size_ = static_cast<uint64_t>(info.st_size);
  return Ok{};
}

bool LogFile::would_rotate(size_t gathered, size_t more) const {
  const uint64_t before = size_ + gathered;
  return limits_.max_bytes != 0 && before != 0 && before + more > limits_.max_bytes;
}

void LogFile::append(LineBatch& batch, const timespec& now) {
  if (batch.empty()) return;
  if (would_rotate(0, batch.bytes())) rotate(now);
  if (dropped_lines_ != 0 && !write_dropped_notice(now)) {
    // A gap is always told of before what follows it.
    drop(batch.lines(), batch.bytes(), errno);
    return batch.clear();
  }
  size_t written = write_lines(batch);
  int whole = batch.whole_lines(written);
  if (whole < batch.lines()) {
    int error = errno;
    size_t end = batch.end_of(whole);
    drop(batch.lines() - whole, batch.bytes() - end, error);
    cut_back(written, end);
    written = end;
  }
  size_ += written;
  batch.clear();
}

// Bytes written; errno is set if fewer than all. A short write is not resumed: on a regular file it means
// that the device is full, and the torn line is taken back by cut_back().
size_t LogFile::write_lines(const LineBatch& batch) {
  ssize_t written;
  do {
    written = writev(file_.get(), batch.iov(), batch.iov_count());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return 0;
  errno = ENOSPC;
  return static_cast<size_t>(written);
}

// Removes half a line. Only if the file is exactly as long as we think: it may have been truncated by
// somebody else meanwhile, and then cutting would extend it.
void LogFile::cut_back(size_t written, size_t whole) {
  struct stat info;
  if (written == whole || fstat(file_.get(), &info) != 0) return;
  if (static_cast<uint64_t>(info.st_size) != size_ + written) return;
  (void)!ftruncate(file_.get(), static_cast<off_t>(size_ + whole));
}

void LogFile::drop(int lines, size_t bytes, int error) {
  dropped_lines_ += static_cast<uint64_t>(lines);
  dropped_bytes_ += bytes;
  drop_error_ = error;
}

bool LogFile::write_dropped_notice(const timespec& now) {
  char line[160];
  format_timestamp(now, line);
  int size = snprintf(line + kTimestampSize, sizeof line - kTimestampSize,
                      " stderr F edgepod: dropped %llu log lines (%llu bytes): %s\n",
                      static_cast<unsigned long long>(dropped_lines_),
                      static_cast<unsigned long long>(dropped_bytes_), reason(drop_error_));
  LineBatch notice;
  notice.add({line, kTimestampSize + static_cast<size_t>(size)}, {}, {}, {});
  size_t written = write_lines(notice);
  if (written < notice.bytes()) {
    int error = errno;
    cut_back(written, 0);
    errno = error;
    return false;
  }
  size_ += written;
  dropped_lines_ = 0;
  dropped_bytes_ = 0;
  return true;
}

void LogFile::rotate(const timespec& now) {
  // With no inode left every attempt fails; once a second is enough.
  if (rotate_failed_at_ != 0 && rotate_failed_at_ == now.tv_sec) return;
  rotate_failed_at_ = 0;
  if (!rename_to_rotated(now) || !reopen(O_EXCL)) {
    // Nothing is lost: the open file goes on being written, under its rotated name if it has got one.
    rotate_failed_at_ = now.tv_sec;
    return;
  }
  prune();
}

// Rotated names must sort by age, because the oldest are found by name: also when there are several within a
// second (".00001" and so on), and when the clock was set back.
bool LogFile::rename_to_rotated(const timespec& now) {
  if (now.tv_sec > rotated_at_) {
    rotated_at_ = now.tv_sec;
    rotated_number_ = 0;
  } else {
    rotated_number_++;
  }
  for (; rotated_number_ <= kMaxSameSecond; rotated_number_++) {
    std::string target = name_ + '.';
    size_t stamp = target.size();
    target.resize(stamp + kRotationStampSize);
    format_rotation_stamp({rotated_at_, 0}, target.data() + stamp);
    char number[16] = "";
    if (rotated_number_ != 0) snprintf(number, sizeof number, ".%05u", rotated_number_);
    if (rename_new(dir_.get(), name_.c_str(), (target + number).c_str()) == 0) return true;
    if (errno != EEXIST) return errno == ENOENT;  // ENOENT: somebody removed it; begin a new one
  }
  return false;
}

void LogFile::prune() { prune_rotated(dir_.get(), name_, limits_.max_files - 1); }

void LogFile::discard_if_empty() {
  struct stat info;
  if (file_ && fstat(file_.get(), &info) == 0 && info.st_size == 0)
    (void)unlinkat(dir_.get(), name_.c_str(), 0);
}

}  // namespace edgepod
