// Command lookup with a shell's distinction of "not there" (127) and "may not" (126), and the environment.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "check.h"
#include "lib/process.h"

using namespace edgepod;

namespace {

std::string found(const std::string& name, const std::vector<std::string>& env) {
  auto file = find_executable(name, env);
  return file ? *file : "errno " + std::to_string(file.error().err);
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += item + ";";
  return out;
}

void looks_up(const std::string& base) {
  const std::string a = base + "/a", b = base + "/b";
  mkdir(a.c_str(), 0755);
  mkdir(b.c_str(), 0755);
  mkdir((a + "/folder").c_str(), 0755);
  close(open((b + "/tool").c_str(), O_CREAT | O_WRONLY, 0755));
  close(open((a + "/plain").c_str(), O_CREAT | O_WRONLY, 0644));
  close(open((a + "/both").c_str(), O_CREAT | O_WRONLY, 0644));
  close(open((b + "/both").c_str(), O_CREAT | O_WRONLY, 0755));
  const std::vector<std::string> env = {"X=1", "PATH=" + a + ":" + b};
  CHECK_EQ(found("tool", env), b + "/tool");
  CHECK_EQ(found("both", env), b + "/both");
  CHECK_EQ(found("plain", env), "errno 13");
  CHECK_EQ(found("folder", env), "errno 13");
  CHECK_EQ(found("nothing", env), "errno 2");
  CHECK_EQ(found("", env), "errno 2");
  CHECK_EQ(found(b + "/tool", {}), b + "/tool");
  CHECK_EQ(found(b + "/nothing", env), "errno 2");
  CHECK_EQ(found(a + "/plain", env), "errno 13");
  CHECK_EQ(found(b + "/tool/x", env), "errno 20");
  CHECK(chdir(b.c_str()) == 0);
  CHECK_EQ(found("./tool", env), "./tool");
  CHECK_EQ(found("tool", {"PATH="}), "./tool");
  CHECK_EQ(found("tool", {"PATH=/nonexistent"}), "errno 2");
  CHECK_EQ(found("sh", {}).rfind("/", 0), 0u);  // a default PATH when there is none
}

void builds_environment() {
  CHECK_EQ(joined(build_environment({"A=1"}, {}, "/home/x")), "A=1;HOME=/home/x;");
  CHECK_EQ(joined(build_environment({"A=1"}, {}, "")), "A=1;HOME=/;");
  CHECK_EQ(joined(build_environment({"HOME=/own", "A=1"}, {"A=2", "B=3"}, "/home/x")), "HOME=/own;A=2;B=3;");
  CHECK_EQ(joined(build_environment({"AB=1"}, {"A=2", "HOME="}, "/x")), "AB=1;A=2;HOME=;");
}

}  // namespace

int main() {
  char name[] = "/tmp/edgepod-exec-XXXXXX";
  const std::string base = mkdtemp(name);
  looks_up(base);
  builds_environment();
  (void)!system(("rm -rf " + base).c_str());
  return check_report();
}
