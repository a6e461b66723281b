// /etc/passwd and /etc/group of an image, and the user it names: whatever they hold, nobody becomes root by
// an accident of parsing. The input is wanted NUL passwd NUL group.
#include <climits>
#include <cstdint>
#include <cstdlib>

#include "lib/users.h"
#include "runner/shim/process_user.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgepod;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t first = std::min(input.find('\0'), size);
  const std::string_view wanted = input.substr(0, first);
  std::string_view passwd = input.substr(std::min(first + 1, size));
  const size_t second = std::min(passwd.find('\0'), passwd.size());
  const std::string_view group = passwd.substr(std::min(second + 1, passwd.size()));
  passwd = passwd.substr(0, second);
  (void)parse_process_user(input, 1 << 16);
  auto user = resolve_user(wanted, passwd, group);
  if (!user) return 0;
  if (user->uid > INT_MAX || user->gid > INT_MAX || user->groups.size() > 1024) std::abort();
  for (const uint32_t gid : user->groups)
    if (gid > INT_MAX) std::abort();
  // Root is who asks for 0, or for a name that the image itself gives the number 0.
  const std::string_view name = wanted.substr(0, wanted.find(':'));
  if (user->uid != 0 || parse_id(name) == 0u) return 0;
  if (name.empty() || passwd.find(std::string(name) + ":") == passwd.npos) std::abort();
  return 0;
}
