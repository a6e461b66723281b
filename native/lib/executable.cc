// Lookup of a command and its environment, as parts of process.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "lib/process.h"

namespace edgepod {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view key_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

std::string_view search_path(const std::vector<std::string>& env) {
  for (const std::string& entry : env)
    if (entry.rfind("PATH=", 0) == 0) return std::string_view(entry).substr(5);
  return kDefaultPath;
}

// 0, or the errno that says why `path` cannot be executed.
int executable_errno(const std::string& path) {
  struct stat st;
  if (stat(path.c_str(), &st) < 0) return errno;
  if (S_ISDIR(st.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, 0) == 0 ? 0 : errno;
}

}  // namespace

Result<std::string> find_executable(const std::string& name, const std::vector<std::string>& env) {
  if (name.empty()) return input_error("exec", "the command is empty", ENOENT);
  if (name.find('/') != std::string::npos) {
    const int error = executable_errno(name);
    if (error) return input_error("exec", name, error);
    return name;
  }
  int denied = 0;
  for (std::string_view left = search_path(env);;) {
    const size_t colon = left.find(':');
    const std::string directory(left.substr(0, colon));
    // An empty part is the working directory, by an old custom.
    const std::string candidate = directory.empty() ? "./" + name : directory + "/" + name;
    const int error = executable_errno(candidate);
    if (!error) return candidate;
    if (error == EACCES) denied = EACCES;
    if (colon == std::string_view::npos) break;
    left.remove_prefix(colon + 1);
  }
  return input_error("exec", name + (denied ? "" : ": not found in PATH"), denied ? denied : ENOENT);
}

std::vector<std::string> build_environment(const std::vector<std::string>& base,
                                           const std::vector<std::string>& extra, const std::string& home) {
  std::vector<std::string> out = base;
  for (const std::string& entry : extra) {
    bool replaced = false;
    for (std::string& have : out)
      if (key_of(have) == key_of(entry)) {
        have = entry;
        replaced = true;
      }
    if (!replaced) out.push_back(entry);
  }
  for (const std::string& entry : out)
    if (key_of(entry) == "HOME") return out;
  out.push_back("HOME=" + (home.empty() ? std::string("/") : home));
  return out;
}

}  // namespace edgepod
