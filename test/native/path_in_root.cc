// Resolution inside a root: the kernel's and the user-space one must agree, and neither may ever leave the
// root.
#include "lib/path_in_root.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>

#include "check.h"
#include "no_syscall.h"

using namespace edgepod;

namespace {

struct Tree {
  std::string base;
  UniqueFd root;
};

void make_file(const std::string& path, const char* text) {
  UniqueFd fd(open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644));
  CHECK(write(fd.get(), text, strlen(text)) >= 0);
}

// base/canary is what nobody in base/root may reach.
Tree make_tree() {
  char name[] = "/tmp/edgepod-path-XXXXXX";
  Tree tree;
  tree.base = mkdtemp(name);
  const std::string root = tree.base + "/root";
  mkdir(root.c_str(), 0755);
  mkdir((tree.base + "/canary").c_str(), 0755);
  make_file(tree.base + "/canary/secret", "outside");
  mkdir((root + "/dir").c_str(), 0755);
  mkdir((root + "/canary").c_str(), 0755);
  make_file(root + "/dir/file", "inside");
  make_file(root + "/canary/secret", "inside");
  const auto link = [&](const std::string& target, const char* at) {
    CHECK(symlink(target.c_str(), (root + at).c_str()) == 0);
  };
  link("/dir", "/absolute");
  link("dir/file", "/relative");
  link("../../../../../canary", "/climb");
  link("..", "/dir/up");
  link("/", "/slash");
  link("loop-b", "/loop-a");
  link("loop-a", "/loop-b");
  link("/nowhere/below", "/dangling");
  link(tree.base + "/canary", "/host-path");
  link("/absolute/../slash/relative", "/chain");
  tree.root.reset(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return tree;
}

using Open = Result<UniqueFd> (*)(int, std::string_view, int, Links);

std::string content(Result<UniqueFd> fd) {
  if (!fd) return "errno " + std::to_string(fd.error().err);
  char text[64];
  const ssize_t n = read(fd->get(), text, sizeof text);
  return n < 0 ? "unreadable" : std::string(text, static_cast<size_t>(n));
}

std::string errno_text(int err) { return "errno " + std::to_string(err); }

void resolves_inside(const Tree& tree, Open open_fn) {
  const int root = tree.root.get();
  const auto text = [&](const char* path, Links links = Links::Follow) {
    return content(open_fn(root, path, O_RDONLY, links));
  };
  for (const char* path :
       {"/dir/file", "dir/file", "absolute/file", "relative", "/dir/../dir/./file", "//dir//file",
        "../../dir/file", "dir/up/dir/up/relative", "slash/slash/dir/file", "chain"})
    CHECK_EQ(text(path), "inside");
  for (const char* path : {"climb/secret", "/climb/secret", "../canary/secret", "dir/up/../../canary/secret",
                           "slash/../../canary/secret"})
    CHECK_EQ(text(path), "inside");
  CHECK_EQ(text("host-path/secret"), errno_text(ENOENT));
  CHECK_EQ(text("loop-a"), errno_text(ELOOP));
  CHECK_EQ(text("dangling"), errno_text(ENOENT));
  CHECK_EQ(text("dir/file/x"), errno_text(ENOTDIR));
  CHECK_EQ(text("missing"), errno_text(ENOENT));
  CHECK_EQ(text("absolute/file", Links::Refuse), errno_text(ELOOP));
  CHECK_EQ(text("relative", Links::Refuse), errno_text(ELOOP));
  CHECK_EQ(text("dir/file", Links::Refuse), "inside");
  CHECK(open_fn(root, "dir", O_PATH | O_DIRECTORY, Links::Follow));
  CHECK_EQ(content(open_fn(root, "relative", O_PATH | O_DIRECTORY, Links::Follow)), errno_text(ENOTDIR));
}

// /proc/self/fd/N, /proc/self/root and /proc/self/cwd lead out of any root that contains a procfs.
void magic_links_are_refused(Open open_fn) {
  UniqueFd slash(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string own = "/proc/self/fd/" + std::to_string(slash.get());
  for (const std::string& path :
       {own, own + "/etc", std::string("/proc/self/root/etc"), std::string("/proc/self/cwd")})
    CHECK_EQ(content(open_fn(slash.get(), path, O_RDONLY, Links::Follow)), errno_text(ELOOP));
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

void makes_inside(const Tree& tree) {
  const int root = tree.root.get();
  const std::string host = tree.base + "/root";
  CHECK_OK(make_dir_in_root(root, "/new/a/b"));
  CHECK(exists(host + "/new/a/b"));
  CHECK_OK(make_dir_in_root(root, "absolute/below"));
  CHECK(exists(host + "/dir/below"));
  CHECK_OK(make_dir_in_root(root, "climb/below"));
  CHECK(exists(host + "/canary/below") && !exists(tree.base + "/canary/below"));
  CHECK_OK(make_file_in_root(root, "/new/file"));
  CHECK(exists(host + "/new/file"));
  CHECK_OK(make_file_in_root(root, "slash/new/other"));
  CHECK(exists(host + "/new/other"));
  CHECK(!make_dir_in_root(root, "dangling"));
  CHECK(!make_dir_in_root(root, "dangling/x"));
  CHECK(!make_file_in_root(root, "dangling"));
  CHECK(!make_file_in_root(root, "host-path"));
  CHECK(!exists(host + "/nowhere") && !exists(host + tree.base));
  CHECK(!make_dir_in_root(root, "dir/file/x"));
  const auto refused = make_dir_in_root(root, "absolute/refused", 0755, Links::Refuse);
  CHECK(!refused && refused.error().err == ELOOP && !exists(host + "/dir/refused"));
}

void cleans_paths() {
  for (const auto& [given, wanted] :
       {std::pair{"", "/"}, {"/", "/"}, {"a", "/a"}, {"/a/../../b", "/b"}, {"//a/./b/", "/a/b"}, {"..", "/"}})
    CHECK_EQ(clean_path(given), wanted);
}

// The whole again in a process to which openat2 does not exist.
void without_openat2() {
  const pid_t child = fork();
  if (child == 0) {
    if (!take_syscalls_away({SYS_openat2})) _exit(2);
    const Tree tree = make_tree();
    resolves_inside(tree, open_in_root);
    makes_inside(tree);
    (void)!system(("rm -rf " + tree.base).c_str());
    _exit(check_failures ? 1 : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EQ(status, 0);
}

// One component is exchanged for a link all the time: every answer is inside the root or an error.
void survives_a_race(const Tree& tree, Open open_fn) {
  const std::string root = tree.base + "/root";
  mkdir((root + "/swap").c_str(), 0755);
  make_file(root + "/swap/secret", "inside");
  CHECK(symlink("../../canary", (root + "/swap-link").c_str()) == 0);
  const pid_t racer = fork();
  if (racer == 0)
    for (;;)
      syscall(SYS_renameat2, AT_FDCWD, (root + "/swap").c_str(), AT_FDCWD, (root + "/swap-link").c_str(), 2);
  for (int i = 0; i < 3000; i++) {
    const std::string text = content(open_fn(tree.root.get(), "swap/secret", O_RDONLY, Links::Follow));
    CHECK(text == "inside" || text.rfind("errno", 0) == 0);
  }
  kill(racer, SIGKILL);
  waitpid(racer, nullptr, 0);
  // Leave it as a directory for the next round.
  (void)!system(("rm -rf " + root + "/swap " + root + "/swap-link").c_str());
}

}  // namespace

int main() {
  cleans_paths();
  const Tree tree = make_tree();
  for (const Open open_fn : {Open(open_in_root), Open(walk_in_root)}) {
    resolves_inside(tree, open_fn);
    magic_links_are_refused(open_fn);
    survives_a_race(tree, open_fn);
  }
  makes_inside(tree);
  without_openat2();
  (void)!system(("rm -rf " + tree.base).c_str());
  return check_report();
}
