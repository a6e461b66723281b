// Users by name from files of the image, which may be anything (T-15, T-24, T-27).
#include "lib/users.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>

#include "check.h"
#include "lib/fd.h"

using namespace edgepod;

namespace {

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "# comment:x:7:7::/:\n"
    "www-data:x:33:33:www:/var/www:/usr/sbin/nologin\n"
    "wrapped:x:4294967296:0::/:\n"
    "short:x\n"
    "dup:x:50:51::/first:\n"
    "dup:x:60:61::/second:\n"
    "last:x:70:71::/last:/bin/sh";
constexpr const char* kGroup =
    "root:x:0:\nwww-data:x:33:\nssl:x:110:www-data,dup\nadm:x:4:syslog,www-data\nbad:x:-1:www-data\nnobody-"
    "here:x:9:www\n";

std::string resolved(const char* wanted) {
  auto identity = resolve_user(wanted, kPasswd, kGroup);
  if (!identity) return "errno " + std::to_string(identity.error().err);
  std::string out = std::to_string(identity->uid) + ":" + std::to_string(identity->gid);
  for (const uint32_t gid : identity->groups) out += "," + std::to_string(gid);
  return out + " " + identity->home;
}

void resolves_names() {
  CHECK_EQ(resolved("root"), "0:0 /root");
  CHECK_EQ(resolved("www-data"), "33:33,110,4 /var/www");
  CHECK_EQ(resolved("33"), "33:33,110,4 /var/www");
  CHECK_EQ(resolved("www-data:adm"), "33:4,110,4 /var/www");
  CHECK_EQ(resolved("www-data:77"), "33:77,110,4 /var/www");
  CHECK_EQ(resolved("12345"), "12345:0 ");
  CHECK_EQ(resolved("12345:6"), "12345:6 ");
  CHECK_EQ(resolved("last"), "70:71 /last");
  CHECK_EQ(resolved("dup"), "50:51,110 /first");
  CHECK_EQ(resolved("nobody"), "errno 2");
  CHECK_EQ(resolved("root:nogroup"), "errno 2");
  CHECK_EQ(resolved(""), "errno 2");
  CHECK_EQ(resolved("root:"), "errno 2");
  CHECK_EQ(resolved("wrapped"), "errno 22");
  CHECK_EQ(resolved("short"), "errno 22");
  CHECK_EQ(resolved("-1"), "errno 2");
  CHECK_EQ(resolved("0x0"), "errno 2");
  CHECK_EQ(resolved("4294967296"), "errno 2");
  CHECK_EQ(resolved("2147483648"), "errno 2");
  CHECK_EQ(resolved("# comment"), "errno 2");
}

void parses_ids() {
  CHECK_EQ(parse_id("0").value_or(1), 0u);
  CHECK_EQ(parse_id("2147483647").value_or(1), 2147483647u);
  for (const char* bad :
       {"", " 0", "0 ", "+1", "-0", "0x0", "1e3", "2147483648", "4294967296", "99999999999999999999"})
    CHECK(!parse_id(bad));
}

Spec spec_with_user(const char* user) {
  auto spec = parse_spec(
      R"({"ociVersion":"1.0.0","root":{"path":"x"},"process":{"args":["x"],"cwd":"/"},"annotations":{"io.edgepod.user":")" +
      std::string(user) + "\"}}");
  return std::move(*spec);
}

Spec spec_with(const std::string& annotations, const std::string& gids) {
  auto spec =
      parse_spec(R"({"ociVersion":"1.0.0","root":{"path":"x"},"process":{"args":["x"],"cwd":"/","user":{)" +
                 (R"("additionalGids":[)" + gids) + "]}},\"annotations\":{" + annotations + "}}");
  return std::move(*spec);
}

void write_file(const std::string& path, std::string_view text) {
  UniqueFd file(open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644));
  (void)!write(file.get(), text.data(), text.size());
}

// supplementalGroupsPolicy, and runAsNonRoot on what a name comes to.
void follows_the_pods_policy(const std::string& base) {
  const std::string etc = base + "/etc";
  mkdir(etc.c_str(), 0755);
  write_file(etc + "/passwd", "root:x:0:0::/:\napp:x:1000:1000::/:\nfake:x:0:1000::/:\n");
  write_file(etc + "/group", "app:x:1000:\nextra:x:2000:app\n");
  UniqueFd root(open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto groups = [&](const std::string& annotations) {
    auto identity = resolve_identity(spec_with(annotations, "3000,1000"), root.get(), false);
    return identity ? identity->groups : std::vector<uint32_t>{};
  };
  using Ids = std::vector<uint32_t>;
  CHECK(groups(R"("io.edgepod.user":"1000:1000")") == (Ids{2000, 1000, 3000}));
  CHECK(groups(R"("io.edgepod.user":"app:7")") == (Ids{2000, 7, 3000, 1000}));
  CHECK(groups(R"("io.edgepod.user":"app","io.edgepod.user.groups-policy":"Strict")") == (Ids{1000, 3000}));
  const auto step = [&](const char* user) {
    auto identity = resolve_identity(
        spec_with(std::string(R"("io.edgepod.user.non-root":"true","io.edgepod.user":")") + user + '"', ""),
        root.get(), false);
    return std::string(identity ? "" : identity.error().step);
  };
  for (const char* user : {"root", "0", "fake", "0:1000"}) CHECK_EQ(step(user), "run-as-non-root");
  for (const char* user : {"app", "1000", "55"}) CHECK_EQ(step(user), "");
  CHECK_EQ(step("unknown"), "resolve-user");
  (void)!system(("rm -rf " + etc).c_str());
}

// /etc/passwd as a FIFO, a directory, a huge sparse file, a link to a device: bounded failures, never a hang.
void survives_odd_files(const std::string& base) {
  const std::string etc = base + "/etc", passwd = etc + "/passwd";
  mkdir(etc.c_str(), 0755);
  UniqueFd root(open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Spec named = spec_with_user("www-data"), number = spec_with_user("5");
  const auto outcome = [&](const Spec& spec) {
    auto identity = resolve_identity(spec, root.get(), true);
    return identity ? 0 : identity.error().err;
  };
  CHECK_EQ(outcome(named), ENOENT);
  CHECK_EQ(outcome(number), 0);
  CHECK(mkfifo(passwd.c_str(), 0644) == 0);
  CHECK_EQ(outcome(named), EINVAL);
  CHECK(remove(passwd.c_str()) == 0 && mkdir(passwd.c_str(), 0755) == 0);
  CHECK_EQ(outcome(named), EINVAL);
  CHECK(remove(passwd.c_str()) == 0);
  close(open(passwd.c_str(), O_CREAT | O_WRONLY, 0644));
  CHECK(truncate(passwd.c_str(), off_t{4} << 30) == 0);
  CHECK_EQ(outcome(named), EFBIG);
  CHECK(remove(passwd.c_str()) == 0 && symlink("/dev/zero", passwd.c_str()) == 0);
  CHECK_EQ(outcome(named), ENOENT);  // /dev/zero of the image, which has none
  CHECK(remove(passwd.c_str()) == 0 && symlink("passwd", passwd.c_str()) == 0);
  CHECK_EQ(outcome(named), ELOOP);
  // Without a name to look up an odd file is nobody's problem.
  auto plain = parse_spec(R"({"ociVersion":"1.0.0","root":{"path":"x"},"process":{"args":["x"],"cwd":"/"}})");
  CHECK_EQ(outcome(*plain), 0);
}

}  // namespace

int main() {
  resolves_names();
  parses_ids();
  char name[] = "/tmp/edgepod-users-XXXXXX";
  const std::string base = mkdtemp(name);
  follows_the_pods_policy(base);
  survives_odd_files(base);
  (void)!system(("rm -rf " + base).c_str());
  return check_report();
}
