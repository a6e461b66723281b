#include "runner/shim/bundle.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/sys.h"

namespace edgepod {

Result<UniqueFd> open_bundle(int pod_dir, const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  size_t slash = path.find('/');
  UniqueFd parent(openat(pod_dir, path.substr(0, slash).c_str(), kFlags));
  if (!parent) return errno_error("bundle", path);
  UniqueFd bundle(openat(parent.get(), path.substr(slash + 1).c_str(), kFlags));
  if (!bundle) return errno_error("bundle", path);
  return bundle;
}

Result<Spec> load_bundle_spec(int bundle) {
  UniqueFd file(openat(bundle, "config.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno_error("bundle", "config.json");
  auto text = read_all(file.get(), kMaxJsonBytes, "bundle");
  if (!text) return std::move(text.error());
  return parse_spec(*text);
}

}  // namespace edgepod
