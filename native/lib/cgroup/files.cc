#include "lib/cgroup/files.h"

#include <fcntl.h>

#include <charconv>

namespace edgepod {

namespace {
constexpr size_t kMaxRead = 64 * 1024;
constexpr size_t kMaxPath = 1024;
constexpr size_t kMaxName = 255;

bool bad_component(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.size() > kMaxName) return true;
  for (char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}
}  // namespace

int write_cgroup_file(int dir_fd, const std::string& file, std::string_view value) {
  UniqueFd fd(openat(dir_fd, file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return errno;
  ssize_t n;
  do {
    n = write(fd.get(), value.data(), value.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return errno;
  return static_cast<size_t>(n) == value.size() ? 0 : EIO;
}

int read_cgroup_file(int dir_fd, const std::string& file, std::string& out) {
  UniqueFd fd(openat(dir_fd, file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return errno;
  char buffer[4096];
  size_t total = 0;
  while (total < kMaxRead) {
    ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    out.append(buffer, static_cast<size_t>(n));
    total += static_cast<size_t>(n);
  }
  return 0;
}

uint64_t flat_keyed_value(std::string_view content, std::string_view key) {
  while (!content.empty()) {
    size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.size() <= key.size() || !line.starts_with(key) || line[key.size()] != ' ') continue;
    uint64_t value = 0;
    std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
    return value;
  }
  return 0;
}

Result<std::string> check_cgroup_path(std::string_view path) {
  std::string_view whole = path;
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty() || path.size() > kMaxPath) {
    return input_error("cgroup-path", "empty or longer than 1024 bytes");
  }
  for (std::string_view rest = path; !rest.empty();) {
    size_t slash = rest.find('/');
    if (bad_component(rest.substr(0, slash))) {
      return input_error("cgroup-path", "not a plain relative path: " + std::string(whole.substr(0, 200)));
    }
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  return std::string(path);
}

}  // namespace edgepod
