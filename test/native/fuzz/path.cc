// Paths in a container's root, whatever links an image and a volume hold: the kernel's resolver and ours
// agree, and neither arrives outside. The input makes the tree, a line each ("d path", "l path target"; of
// few, short names, so that they meet), and ends with the path to open.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>

#include "../tar_builder.h"
#include "lib/archive/remove_tree.h"
#include "lib/path_in_root.h"

using namespace edgepod;

namespace {

// Paths of the names a, b and c, dots and slashes; nothing else makes a difference.
std::string tame(std::string_view text) {
  constexpr char kLetters[] = "abc./././";
  std::string out;
  for (const char c : text.substr(0, 200))
    out += kLetters[static_cast<unsigned char>(c) % (sizeof kLetters - 1)];
  return out;
}

void make(int root, std::string_view line) {
  const size_t space = line.find(' ', 2);
  const std::string path = tame(line.substr(2, space - 2));
  if (line[0] == 'd') {
    (void)make_dir_in_root(root, path);
  } else if (line[0] == 'f') {
    (void)make_file_in_root(root, path);
  } else if (space != line.npos) {
    const std::string whole = clean_path(path);
    const size_t slash = whole.rfind('/');
    auto parent = open_in_root(root, whole.substr(0, slash), O_PATH | O_DIRECTORY);
    if (parent)
      (void)!symlinkat(tame(line.substr(space + 1)).c_str(), parent->get(), whole.c_str() + slash + 1);
  }
}

void compare(int root, int outside, const std::string& path, Links links) {
  auto ours = walk_in_root(root, path, O_PATH, links);
  auto theirs = open_in_root(root, path, O_PATH, links);
  if (static_cast<bool>(ours) != static_cast<bool>(theirs)) std::abort();
  if (!ours) return;
  struct stat a, b, out;
  if (fstat(ours->get(), &a) || fstat(theirs->get(), &b) || fstat(outside, &out)) std::abort();
  if (a.st_ino != b.st_ino || a.st_dev != b.st_dev || a.st_ino == out.st_ino) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  // "a" above the root is what "../a" would reach.
  ScratchDir around("/dev/shm");
  if (mkdirat(around.fd(), "root", 0755) != 0 || mkdirat(around.fd(), "a", 0755) != 0) std::abort();
  UniqueFd root(openat(around.fd(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  UniqueFd outside(openat(around.fd(), "a", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int lines = 0; lines < 20; lines++) {
    const size_t end = rest.find('\n');
    if (end == rest.npos) break;
    if (end > 2) make(root.get(), rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  const std::string path = tame(rest);
  for (const Links links : {Links::Follow, Links::Refuse}) compare(root.get(), outside.get(), path, links);
  if (!remove_tree(around.fd(), "root") || unlinkat(around.fd(), "a", AT_REMOVEDIR) != 0) std::abort();
  return 0;
}
