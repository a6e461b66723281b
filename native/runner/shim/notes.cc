#include "runner/shim/notes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "lib/log/timestamp.h"

namespace edgepod {
namespace {

constexpr off_t kMaxSize = 64 * 1024;

void write_line(const char* line, size_t size) {
  struct stat info;
  if (fstat(STDERR_FILENO, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > kMaxSize)
    (void)!ftruncate(STDERR_FILENO, 0);
  (void)!write(STDERR_FILENO, line, size);
}

}  // namespace

void open_notes(int fd) { dup2(fd, STDERR_FILENO); }

void note(const char* text) {
  char line[512];
  format_timestamp(wall_clock(), line);
  int size = snprintf(line + kTimestampSize, sizeof line - kTimestampSize, " %s\n", text);
  write_line(line, std::min(kTimestampSize + static_cast<size_t>(size), sizeof line - 1));
}

void note(const char* text, const Error& error) {
  char line[400];
  snprintf(line, sizeof line, "%s: %s: errno %d: %s", text, error.step, error.err, error.detail.c_str());
  note(line);
}

}  // namespace edgepod
