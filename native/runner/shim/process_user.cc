#include "runner/shim/process_user.h"

#include <fcntl.h>

#include <charconv>
#include <cstdio>

#include "lib/fd.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr size_t kMaxGroups = 32;
constexpr size_t kMaxStatus = 1 << 20;  // 65536 groups have room

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The numbers of the line that begins with `name`, at most `max`.
std::vector<uint32_t> numbers_of(std::string_view status, std::string_view name, size_t max) {
  std::vector<uint32_t> out;
  size_t at = 0;
  while (status.substr(at, name.size()) != name) {
    at = status.find('\n', at);
    if (at == std::string_view::npos) return out;
    at++;
  }
  const char* next = status.data() + at + name.size();
  const char* const end = status.data() + status.size();
  while (out.size() < max) {
    while (next < end && is_blank(*next)) next++;
    uint32_t value = 0;
    const auto parsed = std::from_chars(next, end, value);
    if (parsed.ec != std::errc()) break;
    out.push_back(value);
    next = parsed.ptr;
  }
  return out;
}

uint32_t in_pod(uint32_t id, uint32_t first) { return id >= first ? id - first : id; }

}  // namespace

ProcessUser parse_process_user(std::string_view status, uint32_t first) {
  ProcessUser user;
  // Real, effective, saved, file system: all the same at the start.
  const auto uids = numbers_of(status, "Uid:", 1), gids = numbers_of(status, "Gid:", 1);
  if (!uids.empty()) user.uid = in_pod(uids[0], first);
  if (!gids.empty()) user.gid = in_pod(gids[0], first);
  user.groups = numbers_of(status, "Groups:", kMaxGroups);
  for (uint32_t& group : user.groups) group = in_pod(group, first);
  return user;
}

ProcessUser process_user(pid_t pid, uint32_t first) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  auto text = read_all(file.get(), kMaxStatus, "process-user");
  return text ? parse_process_user(*text, first) : ProcessUser{};
}

}  // namespace edgepod
