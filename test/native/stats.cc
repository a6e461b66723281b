// Figures from the kernel's text files, with trees of files in place of
// cgroupfs and procfs.
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"
#include "lib/stats/cgroup_stats.h"
#include "lib/stats/figures.h"
#include "lib/stats/node_stats.h"

using namespace edgepod;

namespace {

std::string base;

void write_file(const std::string &path, const std::string &text) {
  for (size_t at = base.size() + 1; (at = path.find('/', at)) != std::string::npos; ++at)
    mkdir(path.substr(0, at).c_str(), 0700);
  FILE *file = fopen(path.c_str(), "w");
  CHECK(file != nullptr);
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
}

void numbers() {
  CHECK_EQ(parse_number("123\n"), 123.0);
  CHECK_EQ(parse_number("  7 x"), 7.0);
  CHECK_EQ(parse_number("0.30"), 0.3);
  CHECK_EQ(parse_number("9223372036854771712"), 9223372036854771712.0);
  CHECK_EQ(parse_number("18446744073709551609"), 18446744073709551609.0);
  CHECK(std::isinf(parse_number("99999999999999999999")));
  CHECK(std::isinf(parse_number("max\n")));
  CHECK(std::isnan(parse_number("")));
  CHECK(std::isnan(parse_number("abc")));
  CHECK_EQ(number_after("a 1\nab 2\nb 3\n", "ab"), 2.0);
  CHECK_EQ(number_after("anon_thp 5\nanon 6", "anon"),
           6.0);  // a key that another one begins with
  CHECK(std::isnan(number_after("anon", "anon")));
  CHECK(std::isnan(number_after("", "anon")));
  std::string_view const psi =
      "some avg10=1.25 avg60=0.00 total=1\nfull "
      "avg10=0.50 avg60=0.00 total=1\n";
  CHECK_EQ(pressure_avg10(psi, "some"), 1.25);
  CHECK_EQ(pressure_avg10(psi, "full"), 0.5);
  CHECK(std::isnan(pressure_avg10("some total=1", "some")));
}

void unified() {
  std::string const root = base + "/v2";
  write_file(root + "/cgroup.controllers", "cpu memory pids\n");
  std::string const group = root + "/edgepod/podx/";
  write_file(group + "memory.current", "1000\n");
  write_file(group + "memory.stat", "anon 300\nfile 600\ninactive_anon 5\ninactive_file 400\n");
  write_file(group + "memory.peak", "2000\n");
  write_file(group + "memory.max", "max\n");
  write_file(group + "memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n");
  write_file(group + "cpu.stat", "usage_usec 77\nuser_usec 1\nnr_throttled 2\nthrottled_usec 9\n");
  write_file(group + "pids.current", "4\n");
  CgroupStats const stats(root);
  CHECK(stats.unified());
  double out[kCgroupFieldCount];
  stats.read("edgepod/podx", out);
  double const expected[] = {1000, 400, 300, 2000, INFINITY, 1, 77, 9, 4};
  for (size_t at = 0; at < 9; ++at) CHECK_EQ(out[at], expected[at]);
  CHECK(std::isnan(out[kMemorySome]));
  stats.read("edgepod/gone", out);
  for (double value : out) CHECK(std::isnan(value));
}

void v1() {
  std::string const root = base + "/v1";
  std::string const group = "/edgepod/podx/";
  write_file(root + "/memory" + group + "memory.usage_in_bytes", "1000\n");
  write_file(root + "/memory" + group + "memory.stat",
             "inactive_file 1\ntotal_rss 300\ntotal_inactive_file 400\n");
  write_file(root + "/memory" + group + "memory.max_usage_in_bytes", "2000\n");
  write_file(root + "/memory" + group + "memory.limit_in_bytes", "9223372036854771712\n");
  write_file(root + "/memory" + group + "memory.oom_control",
             "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  write_file(root + "/cpuacct" + group + "cpuacct.usage", "77999\n");
  write_file(root + "/cpu" + group + "cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_time 5000\n");
  write_file(root + "/pids" + group + "pids.current", "4\n");
  CgroupStats const stats(root);
  CHECK(!stats.unified());
  double out[kCgroupFieldCount];
  stats.read("edgepod/podx", out);
  double const expected[] = {1000, 400, 300, 2000, INFINITY, 2, 77, 5, 4};
  for (size_t at = 0; at < 9; ++at) CHECK_EQ(out[at], expected[at]);
  CHECK(std::isnan(out[kMemorySome]));  // no unified hierarchy in this tree
}

void node() {
  std::string const proc = base + "/proc";
  write_file(proc + "/meminfo",
             "MemTotal:  1000 kB\nMemFree: 100 "
             "kB\nMemAvailable:  600 kB\nCached: 50 kB\n");
  write_file(proc + "/stat", "cpu  100 0 50 800 40 0 10 0 0 0\ncpu0 1 1 1 1\n");
  write_file(proc + "/loadavg", "0.50 1.25 2.00 1/100 4711\n");
  write_file(proc + "/uptime", "12.50 20.00\n");
  // More interfaces than one read(2) of a real /proc/net/dev holds.
  std::string dev =
      "Inter-|   Receive\n face |bytes\n    lo: 5 1 0 0 0 0 0 0 "
      "5 1 0 0 0 0 0 0\n";
  for (int count = 0; count < 90; ++count)
    dev += "  if" + std::to_string(count) + ": 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n";
  dev += "veth1:11 12 0 0 0 0 0 0 13 14 0 0 0 0 0 0\n";
  write_file(proc + "/net/dev", dev);
  double out[kNodeFieldCount];
  double links[2 * kLinkFieldCount];
  read_node(proc, {"veth1", "gone"}, out, links);
  CHECK_EQ(out[kMemTotal], 1024000.0);
  CHECK_EQ(out[kMemAvailable], 614400.0);
  CHECK(std::isnan(out[kSwapTotal]));
  double const rate = static_cast<double>(sysconf(_SC_CLK_TCK));
  CHECK_EQ(out[kCpuTotal], 1000 / rate);
  CHECK_EQ(out[kCpuBusy], 160 / rate);
  CHECK_EQ(out[kLoad5], 1.25);
  CHECK_EQ(out[kUptime], 12.5);
  CHECK(std::isnan(out[kIoPressureSome]));
  CHECK_EQ(out[kNetReceived], 900.0);
  CHECK_EQ(out[kNetSent], 1800.0);
  CHECK_EQ(links[kLinkReceived], 11.0);
  CHECK_EQ(links[kLinkSentPackets], 14.0);
  CHECK(std::isnan(links[kLinkFieldCount]));
  read_node(base + "/nowhere", {}, out, links);
  for (double value : out) CHECK(std::isnan(value));
}

}  // namespace

int main() {
  char name[] = "/tmp/edgepod-stats-XXXXXX";
  CHECK(mkdtemp(name) != nullptr);
  base = name;
  numbers();
  unified();
  v1();
  node();
  std::string const remove = "rm -rf " + base;
  CHECK_EQ(system(remove.c_str()), 0);
  return check_report();
}
