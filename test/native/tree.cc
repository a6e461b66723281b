// Trees a container wrote: measured and given to a group, whatever is in them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <vector>

#include "check.h"
#include "lib/archive/remove_tree.h"
#include "lib/sys.h"
#include "lib/tree/group.h"
#include "lib/tree/usage.h"
#include "lib/tree/walk.h"

using namespace edgepod;

namespace {

// A directory that goes with its test, however deep it has become.
class Base {
 public:
  Base() { CHECK(mkdtemp(name_) != nullptr); }
  ~Base() {
    UniqueFd const parent(open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC));
    CHECK_OK(remove_tree(parent.get(), name_ + sizeof "/tmp"));
  }
  Base(const Base&) = delete;
  operator std::string() const { return name_; }
  std::string operator+(const char* more) const { return std::string(name_) + more; }

 private:
  char name_[32] = "/tmp/edgepod-tree-XXXXXX";
};

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
  Base base;
  mkdir((base + "/d").c_str(), 0755);
  make_file(base + "/d/f", 1 << 20);
  CHECK(link((base + "/d/f").c_str(), (base + "/again").c_str()) == 0);
  CHECK(symlink("/usr", (base + "/link").c_str()) == 0);
  auto usage = tree_usage(base);
  CHECK(usage);
  CHECK(usage->inodes == 4);
  CHECK(usage->bytes >= 1 << 20 && usage->bytes < (1 << 20) + (64 << 10));
  auto none = tree_usage(base + "/none");
  CHECK(!none && none.error().err == ENOENT);
}

void too_deep_is_an_error() {
  Base base;
  UniqueFd at(open(std::string(base).c_str(), O_PATH | O_CLOEXEC));
  auto deeper = [&] {
    CHECK(mkdirat(at.get(), "d", 0755) == 0);
    at = UniqueFd(openat(at.get(), "d", O_PATH | O_CLOEXEC));
  };
  for (size_t depth = 1; depth < kMaxTreeDepth; depth++) deeper();
  auto usage = tree_usage(base);
  CHECK(usage && usage->inodes == kMaxTreeDepth);
  deeper();
  usage = tree_usage(base);
  CHECK(!usage && usage.error().err == E2BIG);
}

// A container removes a directory between its being looked at and its being opened.
void what_vanishes_is_left_out() {
  Base base;
  for (const char* name : {"/a", "/b", "/c"}) mkdir((base + name).c_str(), 0755);
  std::set<ino_t> seen;
  auto remove_it = [&](int fd, const struct stat& st) -> Result<Ok> {
    seen.insert(st.st_ino);
    char path[4096];
    ssize_t const size = readlink(FdPath(fd).text, path, sizeof path - 1);
    if (size > 0) path[size] = '\0';
    if (seen.size() > 1) CHECK(rmdir(path) == 0);
    return Ok{};
  };
  TreeWalk<decltype(remove_it)> walk("test", remove_it);
  CHECK(walk.run(base));
  CHECK(seen.size() == 4);
}

void many_files_with_several_names() {
  Base base;
  mkdir((base + "/a").c_str(), 0755);
  mkdir((base + "/b").c_str(), 0755);
  UniqueFd a(open((base + "/a").c_str(), O_PATH | O_CLOEXEC)),
      b(open((base + "/b").c_str(), O_PATH | O_CLOEXEC));
  constexpr int kFiles = 17'000;
  int made = 0;
  for (std::string name = "0"; made < kFiles; name = std::to_string(++made))
    if (mknodat(a.get(), name.c_str(), S_IFREG | 0600, 0) != 0 ||
        linkat(a.get(), name.c_str(), b.get(), name.c_str(), 0) != 0)
      break;
  CHECK(made == kFiles);
  auto usage = tree_usage(base);
  CHECK(usage && usage->inodes == kFiles + 3);
}

void gives_to_a_group_and_follows_nothing() {
  if (geteuid() != 0) return;
  Base base;
  Base outside;
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
  what_vanishes_is_left_out();
  many_files_with_several_names();
  gives_to_a_group_and_follows_nothing();
  return check_report();
}
