// CRI log writer: lines, parts, rotation, a full disk, and paths that lead elsewhere.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "lib/log/cri_log.h"
#include "lib/log/log_dir.h"
#include "lib/log/timestamp.h"
#include "lib/sys.h"

using namespace edgepod;

namespace {

constexpr timespec kNow{1475712429, 669794202};  // 2016-10-06T00:07:09.669794202Z
const std::string kStamp = "2016-10-06T00:07:09.669794202Z";

struct TempDir {
  std::string path;
  TempDir() {
    char name[] = "/tmp/edgepod-log-XXXXXX";
    path = mkdtemp(name);
  }
  ~TempDir() { (void)!system(("rm -rf " + path).c_str()); }
  std::string log(const char* name = "0.log") const { return path + "/pod/web/" + name; }
};

std::string content(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return "(missing)";
  auto text = read_all(fd.get(), 64 << 20, "test");
  return text ? *text : "(unreadable)";
}

std::vector<std::string> names_in(const std::string& dir) {
  std::vector<std::string> names;
  FILE* list = popen(("ls " + dir).c_str(), "r");
  char line[256];
  while (fgets(line, sizeof line, list) != nullptr) names.emplace_back(line, strcspn(line, "\n"));
  pclose(list);
  return names;
}

void put(CriLog& log, const std::string& text, LogStream stream = LogStream::Stdout) {
  log.write(stream, text.data(), text.size(), kNow);
}

void test_timestamps() {
  CHECK_EQ(timestamp(kNow), kStamp);
  CHECK_EQ(timestamp({0, 0}), "1970-01-01T00:00:00.000000000Z");
  CHECK_EQ(timestamp({951782400, 1}), "2000-02-29T00:00:00.000000001Z");
  CHECK_EQ(timestamp({4107542399, 999999999}), "2100-02-28T23:59:59.999999999Z");
  CHECK_EQ(timestamp({4107542400, 0}), "2100-03-01T00:00:00.000000000Z");
  char stamp[kRotationStampSize];
  format_rotation_stamp(kNow, stamp);
  CHECK_EQ(std::string(stamp, sizeof stamp), "20161006-000709");
  // Against the C library, over four centuries.
  for (time_t t = 0; t < 12622780800; t += 86399 * 37) {
    tm parts;
    char expected[32];
    gmtime_r(&t, &parts);
    strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000000000Z", &parts);
    if (timestamp({t, 0}) != expected) CHECK_EQ(timestamp({t, 0}), expected);
  }
}

void test_lines() {
  TempDir dir;
  auto log = CriLog::open(dir.log(), {0, 1});
  if (!CHECK_OK(log)) return;
  put(*log, "one\ntwo\n\nthr");
  CHECK_EQ(content(dir.log()),
           kStamp + " stdout F one\n" + kStamp + " stdout F two\n" + kStamp + " stdout F \n");
  put(*log, "err\n", LogStream::Stderr);
  put(*log, "ee");
  put(*log, "\nrest");
  log->finish(LogStream::Stdout, kNow);
  log->finish(LogStream::Stderr, kNow);
  std::string text = content(dir.log());
  CHECK(text.find(" stdout F three\n") != text.npos);
  CHECK(text.find(" stderr F err\n") != text.npos);
  CHECK(text.ends_with(kStamp + " stdout P rest\n"));
  struct stat info;
  CHECK(stat(dir.log().c_str(), &info) == 0 && (info.st_mode & 07777) == 0640);
  CHECK(stat((dir.path + "/pod/web").c_str(), &info) == 0 && (info.st_mode & 07777) == 0750);
}

void test_long_lines() {
  const std::string full(kMaxLogLine, 'x');
  for (size_t chunk : {size_t{1}, size_t{1000}, kMaxLogLine, size_t{50000}}) {
    TempDir dir;
    auto log = CriLog::open(dir.log(), {0, 1});
    if (!CHECK_OK(log)) return;
    // Exactly full: one F line. One more: a part and the rest. Two and a half: two parts.
    const std::string input = full + "\n" + full + "y\n" + full + full + "z\n";
    for (size_t at = 0; at < input.size(); at += chunk) put(*log, input.substr(at, chunk));
    const std::string out = kStamp + " stdout ";
    CHECK(content(dir.log()) == out + "F " + full + "\n" + out + "P " + full + "\n" + out + "F y\n" + out +
                                    "P " + full + "\n" + out + "P " + full + "\n" + out + "F z\n");
  }
}

void test_binary() {
  TempDir dir;
  auto log = CriLog::open(dir.log(), {0, 1});
  if (!CHECK_OK(log)) return;
  std::string all;
  for (int c = 0; c < 256; c++)
    if (c != '\n') all += static_cast<char>(c);
  put(*log, all + "\n");
  CHECK(content(dir.log()) == kStamp + " stdout F " + all + "\n");
}

// Whatever the sizes of the reads, the text comes out the same.
void test_any_chunking() {
  std::string input;
  unsigned seed = 7;
  auto random = [&] { return (seed = seed * 1103515245 + 12345) >> 16; };
  for (int line = 0; line < 300; line++) input += std::string(random() % 400, 'a' + line % 26) + "\n";
  std::string expected;
  for (int round = 0; round < 20; round++) {
    TempDir dir;
    auto log = CriLog::open(dir.log(), {0, 1});
    if (!CHECK_OK(log)) return;
    for (size_t at = 0; at < input.size();) {
      size_t size = round == 0 ? input.size() : 1 + random() % 5000;
      put(*log, input.substr(at, size));
      at += size;
    }
    if (round == 0) expected = content(dir.log());
    CHECK(content(dir.log()) == expected);
  }
  CHECK_EQ(std::count(expected.begin(), expected.end(), '\n'), 300);
}

void test_rotation() {
  TempDir dir;
  auto log = CriLog::open(dir.log(), {1000, 3});
  if (!CHECK_OK(log)) return;
  // 40 bytes of header and 10 of text: 19 lines (51 bytes with newline) fit into 1000.
  for (int i = 0; i < 200; i++) put(*log, "line " + std::to_string(10000 + i) + "\n");
  auto names = names_in(dir.path + "/pod/web");
  CHECK_EQ(names.size(), 3u);
  CHECK_EQ(names[0], "0.log");
  CHECK(names[1].starts_with("0.log.20161006-000709"));
  for (const std::string& name : names) {
    std::string text = content(dir.path + "/pod/web/" + name);
    CHECK(text.size() <= 1000);
    CHECK(text.ends_with("\n"));
  }
  CHECK(content(dir.log()).ends_with("line 10199\n"));
  // Nothing between the oldest kept line and the newest is missing.
  std::string joined;
  for (size_t i = 1; i < names.size(); i++) joined += content(dir.path + "/pod/web/" + names[i]);
  joined += content(dir.log());
  size_t first = joined.find("line ") + 5;
  int number = std::stoi(joined.substr(first, 5));
  for (; number < 10200; number++) {
    if (joined.find("line " + std::to_string(number) + "\n") == joined.npos) CHECK_EQ(number, -1);
  }
  // A single line beyond the limit gets a file to itself.
  put(*log, std::string(3000, 'L') + "\n" + "after\n");
  CHECK(content(dir.log()).ends_with(" F after\n"));
  CHECK(content(dir.log()).size() < 100);
}

void test_one_file_only() {
  TempDir dir;
  auto log = CriLog::open(dir.log(), {200, 1});
  if (!CHECK_OK(log)) return;
  for (int i = 0; i < 20; i++) put(*log, "some text\n");
  CHECK_EQ(names_in(dir.path + "/pod/web").size(), 1u);
}

void test_appends_to_existing() {
  TempDir dir;
  for (int i = 0; i < 2; i++) {
    auto log = CriLog::open(dir.log(), {0, 1});
    if (CHECK_OK(log)) put(*log, "start\n");
  }
  std::string text = content(dir.log());
  CHECK_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

// RLIMIT_FSIZE stands in for a disk that is full: the write is cut short, then fails.
void test_disk_full() {
  TempDir dir;
  auto log = CriLog::open(dir.log(), {0, 1});
  if (!CHECK_OK(log)) return;
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  put(*log, "before\n");
  rlimit small{120, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  put(*log, "fits not whole: " + std::string(100, '.') + "\n");
  put(*log, "lost\nlost\n");
  CHECK_EQ(log->file().dropped_lines(), 3u);
  std::string text = content(dir.log());
  CHECK(text.ends_with("before\n"));
  setrlimit(RLIMIT_FSIZE, &before);
  put(*log, "after\n");
  text = content(dir.log());
  CHECK(text.find(" stderr F edgepod: dropped 3 log lines (") != text.npos);
  CHECK(text.ends_with(" stdout F after\n"));
  CHECK_EQ(log->file().dropped_lines(), 0u);
}

void test_paths() {
  TempDir dir;
  CHECK(!CriLog::open("relative/0.log", {}));
  CHECK(!CriLog::open("", {}));
  CHECK(!CriLog::open("/", {}));
  CHECK(!CriLog::open(dir.path + "/pod/../0.log", {}));
  CHECK(!CriLog::open(dir.path + "//0.log", {}));
  CHECK(!CriLog::open(dir.path + "/pod/web/", {}));
  // The pod's directory, the container's and the file may not be links; what is above may.
  mkdir((dir.path + "/real").c_str(), 0755);
  (void)!symlink((dir.path + "/real").c_str(), (dir.path + "/link").c_str());
  CHECK(!CriLog::open(dir.path + "/link/web/0.log", {}));
  CHECK_OK(CriLog::open(dir.path + "/link/pod/web/0.log", {}));
  (void)!symlink("/etc/passwd", (dir.path + "/real/pod/web/1.log").c_str());
  CHECK(!CriLog::open(dir.path + "/real/pod/web/1.log", {}));
  // A second name of another file, a directory, a FIFO nobody reads.
  (void)!link((dir.path + "/real/pod/web/0.log").c_str(), (dir.path + "/real/pod/web/2.log").c_str());
  CHECK(!CriLog::open(dir.path + "/real/pod/web/2.log", {}));
  mkfifo((dir.path + "/real/pod/web/3.log").c_str(), 0600);
  CHECK(!CriLog::open(dir.path + "/real/pod/web/3.log", {}));
  CHECK(!CriLog::open(dir.path + "/real/pod/web", {}));
}

void test_discard() {
  TempDir dir;
  auto log = CriLog::open(dir.log(), {});
  if (!CHECK_OK(log)) return;
  log->file().discard_if_empty();
  CHECK(access(dir.log().c_str(), F_OK) != 0);
  auto second = CriLog::open(dir.log(), {});
  if (!CHECK_OK(second)) return;
  put(*second, "x\n");
  second->file().discard_if_empty();
  CHECK(access(dir.log().c_str(), F_OK) == 0);
}

// Somebody removes or truncates the file: logging goes on.
void test_interference() {
  TempDir dir;
  auto log = CriLog::open(dir.log(), {300, 2});
  if (!CHECK_OK(log)) return;
  put(*log, "one\n");
  unlink(dir.log().c_str());
  for (int i = 0; i < 10; i++) put(*log, "more\n");
  CHECK(content(dir.log()).ends_with("more\n"));
  (void)!truncate(dir.log().c_str(), 0);
  for (int i = 0; i < 10; i++) put(*log, "again\n");
  CHECK(content(dir.log()).find('\0') == std::string::npos);
}

}  // namespace

int main() {
  test_timestamps();
  test_lines();
  test_long_lines();
  test_binary();
  test_any_chunking();
  test_rotation();
  test_one_file_only();
  test_appends_to_existing();
  test_disk_full();
  test_paths();
  test_discard();
  test_interference();
  return check_report();
}
