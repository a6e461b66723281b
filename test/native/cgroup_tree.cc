// Cgroup logic against trees of plain files: layout detection, paths, which
// file gets which value.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "check.h"
#include "lib/cgroup/cgroup.h"
#include "lib/cgroup/files.h"
#include "lib/cgroup/host.h"
#include "lib/cgroup/limits.h"

using namespace edgepod;
namespace fs = std::filesystem;

namespace {

struct FakeTree {
  fs::path root;
  std::string mountinfo;
  int next_device = 40;

  FakeTree() {
    char name[] = "/tmp/edgepod-fake-cgroup-XXXXXX";
    root = mkdtemp(name);
  }
  ~FakeTree() { fs::remove_all(root); }

  void mount(const std::string &name, const std::string &type, const std::string &options) {
    fs::create_directories(root / name);
    mountinfo += std::to_string(next_device) + " 31 0:" + std::to_string(next_device) + " / " +
                 (root / name).string() + " rw,relatime shared:9 - " + type + " " + type + " rw," + options +
                 "\n";
    ++next_device;
  }
  void file(const std::string &path, const std::string &content = "") {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << content;
  }
  std::string content(const std::string &path) const {
    std::ifstream stream(root / path);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
};

Resources parse(const char *json) {
  auto document = parse_json(json);
  CHECK_OK(document);
  auto resources = parse_resources(*document);
  CHECK_OK(resources);
  return resources ? *resources : Resources{};
}

std::string refusal(const char *json) {
  auto document = parse_json(json);
  auto resources = parse_resources(*document);
  return resources ? "accepted" : resources.error().detail;
}

void test_detection() {
  FakeTree tree;
  tree.file("unified/cgroup.controllers", "cpu memory pids\n");
  tree.mount("unified", "cgroup2", "nsdelegate");
  CgroupHost host = CgroupHost::from_mountinfo(tree.mountinfo, false);
  CHECK(host.mode() == CgroupMode::V2);
  CHECK(host.with("memory") == host.unified());
  CHECK(host.with("freezer") == nullptr);

  tree.mount("systemd", "cgroup", "xattr,name=systemd");
  CHECK(CgroupHost::from_mountinfo(tree.mountinfo, false).mode() == CgroupMode::V2);

  tree.mount("cpu,cpuacct", "cgroup", "cpu,cpuacct");
  tree.mount("freezer", "cgroup", "freezer");
  CgroupHost hybrid = CgroupHost::from_mountinfo(tree.mountinfo, false);
  CHECK(hybrid.mode() == CgroupMode::V1);
  CHECK_EQ(hybrid.hierarchies().size(), 4u);
  CHECK(hybrid.with("cpuacct") == &hybrid.hierarchies()[2]);
  CHECK(hybrid.primary() == hybrid.with("freezer"));
  // One hierarchy seen in two places counts once; mounts that lie about their
  // type do not count.
  CHECK_EQ(CgroupHost::from_mountinfo(tree.mountinfo + tree.mountinfo, false).hierarchies().size(), 4u);
  CHECK_EQ(CgroupHost::from_mountinfo(tree.mountinfo, true).hierarchies().size(), 0u);
  CHECK_EQ(CgroupHost::from_mountinfo("", false).hierarchies().size(), 0u);
  CHECK_EQ(CgroupHost::from_mountinfo("1 2 3\n - \nx - cgroup2", false).hierarchies().size(), 0u);
}

void test_paths() {
  auto clean = check_cgroup_path("/edgepod/pod1/a/");
  if (CHECK_OK(clean)) CHECK_EQ(*clean, "edgepod/pod1/a");
  for (const char *bad : {"", "/", "a/../b", "..", "a//b", "./a", "a/.", "a\nb", "a/\x7f"}) {
    CHECK(!check_cgroup_path(bad));
  }
  CHECK(!check_cgroup_path(std::string(256, 'x')));
  CHECK(!check_cgroup_path(std::string_view("a\0b", 3)));
  CHECK_EQ(flat_keyed_value("low 1\noom 2\noom_kill 3\noom_group_kill 4\n", "oom_kill"), 3u);
  CHECK_EQ(flat_keyed_value("oom_kill", "oom_kill"), 0u);
}

void test_resources() {
  Resources r = parse(R"({"memory":{"limit":1048576,"swap":0,"reservation":-1},
    "cpu":{"shares":1,"quota":-5,"period":100000},"pids":{"limit":0},
    "devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":3,"access":"rw"}],
    "unified":{"memory.oom.group":"1","memory.high":"1000"},"blockIO":{"weight":1}})");
  CHECK(r.memory_limit == 1048576);
  CHECK(!r.memory_swap.has_value());
  CHECK(r.memory_reservation == -1);
  CHECK(r.cpu_shares == 2u);
  CHECK(r.cpu_quota == -5);
  CHECK(r.pids_limit == 0);
  CHECK_EQ(r.devices.size(), 2u);
  CHECK(!r.devices[0].allow && r.devices[0].type == 'a');
  CHECK(r.devices[1].minor == 3 && !r.devices[1].mknod);
  CHECK(r.oom_group);
  CHECK_EQ(r.unified.size(), 1u);

  CHECK(refusal(R"({"memory":{"limit":"1"}})").starts_with("linux.resources.memory.limit"));
  CHECK(refusal(R"({"memory":{"limit":-2}})").starts_with("linux.resources.memory.limit"));
  CHECK(refusal(R"({"cpu":{"period":10}})").starts_with("linux.resources.cpu.period"));
  CHECK(refusal(R"({"devices":[{"allow":true,"type":"x"}]})").starts_with("linux.resources.devices[0].type"));
  CHECK(refusal(R"({"devices":[{"allow":true,"access":"q"}]})")
            .starts_with("linux.resources.devices[0].access"));
  CHECK(
      refusal(R"({"devices":[{"allow":true,"access":"r"}]})").starts_with("linux.resources.devices[0].type"));
  CHECK(refusal(R"({"unified":{"cgroup.procs":"1"}})").starts_with("linux.resources.unified"));
  CHECK(refusal(R"({"unified":{"../memory.max":"1"}})").starts_with("linux.resources.unified"));
  CHECK(refusal("[]").starts_with("linux.resources"));
}

void test_weight() {
  CHECK_EQ(cpu_weight_from_shares(0), 1u);
  CHECK_EQ(cpu_weight_from_shares(2), 1u);
  CHECK_EQ(cpu_weight_from_shares(1024), 100u);
  CHECK_EQ(cpu_weight_from_shares(262144), 10000u);
  uint64_t last = 0;
  for (uint64_t shares = 2; shares <= 262144; shares += 97) {
    uint64_t weight = cpu_weight_from_shares(shares);
    CHECK(weight >= last && weight >= 1 && weight <= 10000);
    last = weight;
  }
}

void test_v2_values() {
  FakeTree tree;
  tree.file("u/cgroup.controllers", "cpu memory pids\n");
  for (const char *file : {"memory.max", "memory.oom.group", "cpu.weight", "cpu.max", "pids.max"}) {
    tree.file(std::string("u/edgepod/pod1/a/") + file);
  }
  tree.mount("u", "cgroup2", "x");
  CgroupHost host = CgroupHost::from_mountinfo(tree.mountinfo, false);
  CgroupHost::use_for_tests(&host);
  auto cgroup = Cgroup::open("edgepod/pod1/a");
  CHECK_OK(cgroup);
  CHECK(cgroup->clone_fd() >= 0 && !cgroup->needs_add());

  CgroupNotes notes;
  Resources r = parse(R"({"memory":{"limit":1000,"reservation":500,"swap":1500},
    "cpu":{"shares":1024,"quota":50000,"period":100000},"pids":{"limit":0},"unified":{"memory.oom.group":"1"}})");
  CHECK_OK(cgroup->set(r, &notes));
  auto value = [&](const char *file) { return tree.content(std::string("u/edgepod/pod1/a/") + file); };
  CHECK_EQ(value("memory.max"), "1000");
  CHECK_EQ(value("memory.oom.group"), "1");
  CHECK_EQ(value("cpu.weight"), "100");
  CHECK_EQ(value("cpu.max"), "50000 100000");
  CHECK_EQ(value("pids.max"), "1");
  // What this kernel does not have is told, not fatal. That swap is not limited is told where there is swap.
  CHECK_EQ(std::count(notes.begin(), notes.end(), "memory.low=500 not applied: not in this kernel"), 1);

  tree.file("u/edgepod/pod1/a/memory.swap.max");
  tree.file("u/edgepod/pod1/a/cpu.max", "7000 100000\n");
  CHECK_OK(
      cgroup->set(parse(R"({"memory":{"limit":-1,"swap":-1},"cpu":{"period":20000},"pids":{"limit":-1}})")));
  CHECK(value("memory.max").starts_with("max"));
  CHECK_EQ(value("memory.swap.max"), "max");
  CHECK(value("cpu.max").starts_with("7000 20000"));
  CHECK_EQ(value("pids.max"), "max");
  CHECK(!cgroup->set(parse(R"({"memory":{"limit":1000,"swap":900}})")));

  // A cgroup that is gone is an error, never a note.
  fs::remove_all(tree.root / "u/edgepod/pod1/a");
  auto gone = cgroup->set(parse(R"({"pids":{"limit":5}})"), &notes);
  CHECK(!gone && gone.error().err == ENOENT);
  CHECK_EQ(notes.size(), 1u);
  CHECK(!Cgroup::open("edgepod/pod1/a"));
  CgroupHost::use_for_tests(nullptr);
}

void test_v2_creation() {
  FakeTree tree;
  tree.file("u/cgroup.controllers", "cpuset cpu io memory pids\n");
  tree.file("u/cgroup.subtree_control");
  tree.mount("u", "cgroup2", "x");
  CgroupHost host = CgroupHost::from_mountinfo(tree.mountinfo, false);
  CgroupHost::use_for_tests(&host);
  CHECK_OK(Cgroup::create("edgepod", {}));
  CHECK_EQ(tree.content("u/cgroup.subtree_control"), "+cpu +memory +pids +io");
  tree.file("u/edgepod/cgroup.subtree_control");
  CHECK_OK(Cgroup::create("edgepod/pod1/a", {}));
  // Missing levels were made, and controllers are enabled in every level above
  // the leaf.
  CHECK_EQ(tree.content("u/edgepod/cgroup.subtree_control"), "+cpu +memory +pids +io");
  CHECK(fs::is_directory(tree.root / "u/edgepod/pod1/a"));

  // A failing creation takes back what it made and nothing else.
  fs::create_directories(tree.root / "u/edgepod/pod2");
  auto bad = Cgroup::create("edgepod/pod2/x/y", parse(R"({"memory":{"limit":10,"swap":5}})"));
  CHECK(!bad);
  CHECK(fs::is_directory(tree.root / "u/edgepod/pod2"));
  CHECK(!fs::exists(tree.root / "u/edgepod/pod2/x"));
  CHECK(!Cgroup::create("../x", {}));

  // A symlink planted in place of a cgroup is not followed when removing.
  fs::create_directories(tree.root / "outside/kept");
  fs::create_directory_symlink(tree.root / "outside", tree.root / "u/edgepod/pod2/link");
  auto pod2 = Cgroup::open("edgepod/pod2");
  CHECK_OK(pod2);
  CHECK(!pod2->remove());
  CHECK(fs::is_directory(tree.root / "outside/kept"));
  fs::remove(tree.root / "u/edgepod/pod2/link");
  CHECK_OK(pod2->remove());
  CHECK_OK(pod2->remove());
  CHECK(!fs::exists(tree.root / "u/edgepod/pod2"));
  CgroupHost::use_for_tests(nullptr);
}

void test_v1_values() {
  FakeTree tree;
  for (const char *file :
       {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "cpu.shares",
        "cpu.cfs_quota_us", "cpu.cfs_period_us", "devices.deny", "devices.allow"}) {
    std::string name = file;
    std::string controller = name.substr(0, name.find('.'));
    tree.file(controller + "/a/" + file);
  }
  for (const char *name : {"memory", "cpu", "devices"}) tree.mount(name, "cgroup", name);
  CgroupHost host = CgroupHost::from_mountinfo(tree.mountinfo, false);
  CgroupHost::use_for_tests(&host);
  auto cgroup = Cgroup::open("a");
  CHECK_OK(cgroup);
  CHECK(cgroup->needs_add() && cgroup->clone_fd() < 0);
  CgroupNotes notes;
  CHECK_OK(cgroup->set(parse(R"({"memory":{"limit":1000,"swap":1000,"reservation":500},
    "cpu":{"shares":512,"quota":0,"period":50000},"pids":{"limit":9},"devices":[{"allow":false,"access":"rwm"}],
    "unified":{"memory.high":"10"}})"),
                       &notes));
  CHECK_EQ(tree.content("memory/a/memory.limit_in_bytes"), "1000");
  CHECK_EQ(tree.content("memory/a/memory.memsw.limit_in_bytes"), "1000");
  CHECK_EQ(tree.content("memory/a/memory.soft_limit_in_bytes"), "500");
  CHECK_EQ(tree.content("cpu/a/cpu.shares"), "512");
  CHECK_EQ(tree.content("cpu/a/cpu.cfs_quota_us"), "-1");
  CHECK_EQ(tree.content("cpu/a/cpu.cfs_period_us"), "50000");
  CHECK_EQ(tree.content("devices/a/devices.deny"), "a *:* rwm");
  CHECK(tree.content("devices/a/devices.allow").find("c 1:3 rwmc 1:8 rwm") != std::string::npos);
  CHECK_EQ(notes.size(), 2u);
  CHECK_EQ(notes[0], "pids not limited: the kernel has no such cgroup controller");
  CHECK_EQ(notes[1], "memory.high not applied: needs cgroup v2");

  tree.file("memory/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
  CHECK_EQ(cgroup->oom_kills(), 7u);
  tree.file("memory/a/memory.usage_in_bytes", "42\n");
  auto usage = cgroup->read("memory.usage_in_bytes");
  if (CHECK_OK(usage)) CHECK_EQ(*usage, "42\n");
  CHECK(!cgroup->read("memory.nothing"));
  CgroupHost::use_for_tests(nullptr);
}

}  // namespace

int main() {
  test_detection();
  test_paths();
  test_resources();
  test_weight();
  test_v2_values();
  test_v2_creation();
  test_v1_values();
  return check_report();
}
