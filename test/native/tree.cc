// Trees a container wrote: measured and given to a group, whatever is in them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "check.h"
#include "lib/tree/group.h"
#include "lib/tree/usage.h"
#include "lib/tree/walk.h"

using namespace edgepod;

namespace {

std::string make_base() {
  char name[] = "/tmp/edgepod-tree-XXXXXX";
  return mkdtemp(name);
}

void make_file(const std::string& path, size_t size) {
  UniqueFd fd(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  std::vector<char> const data(size, 'x');
  CHECK(write(fd.get(), data.data(), data.size()) == static_cast<ssize_t>(size));
  fsync(fd.get());
}

struct stat status(const std::string& path) {
  struct stat st = {};
  CHECK(lstat(path.c_str(), &st) == 0);
  return st;
}

void measures_each_file_once() {
  std::string const base = make_base();
  mkdir((base + "/d").c_str(), 0755);
  make_file(base + "/d/f", 1 << 20);
  CHECK(link((base + "/d/f").c_str(), (base + "/again").c_str()) == 0);
  CHECK(symlink("/usr", (base + "/link").c_str()) == 0);
  auto usage = tree_usage(base);
  CHECK(usage);
  CHECK(usage->inodes == 4);
  CHECK(usage->bytes >= 1 << 20 && usage->bytes < (1 << 20) + (64 << 10));
  CHECK(tree_usage(base + "/none").error().err == ENOENT);
}

void too_deep_is_an_error() {
  std::string const base = make_base();
  UniqueFd at(open(base.c_str(), O_PATH | O_CLOEXEC));
  for (int depth = 0; depth <= kMaxTreeDepth; depth++) {
    CHECK(mkdirat(at.get(), "d", 0755) == 0);
    at = UniqueFd(openat(at.get(), "d", O_PATH | O_CLOEXEC));
  }
  auto usage = tree_usage(base);
  CHECK(!usage && usage.error().err == E2BIG);
}

void gives_to_a_group_and_follows_nothing() {
  if (geteuid() != 0) return;
  std::string const base = make_base();
  std::string const outside = make_base();
  make_file(outside + "/canary", 1);
  mkdir((base + "/d").c_str(), 0700);
  make_file(base + "/d/f", 1);
  CHECK(symlink((outside + "/canary").c_str(), (base + "/link").c_str()) == 0);
  CHECK(set_tree_group(base, 4242, false));
  CHECK(status(base + "/d").st_gid == 4242 && (status(base + "/d").st_mode & 07777) == 02770);
  CHECK(status(base + "/d/f").st_gid == 4242 && (status(base + "/d/f").st_mode & 07777) == 0660);
  CHECK(status(outside + "/canary").st_gid == 0 && (status(outside + "/canary").st_mode & 07777) == 0600);
  // The top directory is as wanted: nothing below is looked at.
  chmod((base + "/d/f").c_str(), 0600);
  CHECK(set_tree_group(base, 4242, true));
  CHECK((status(base + "/d/f").st_mode & 07777) == 0600);
  CHECK(set_tree_group(base, 4243, true));
  CHECK(status(base + "/d/f").st_gid == 4243 && (status(base + "/d/f").st_mode & 07777) == 0660);
}

}  // namespace

int main() {
  measures_each_file_once();
  too_deep_is_an_error();
  gives_to_a_group_and_follows_nothing();
}
