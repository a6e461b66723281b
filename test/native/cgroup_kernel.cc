// Cgroups against the running kernel, whatever its layout. Needs root; skips
// itself otherwise.
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "check.h"
#include "lib/cgroup/cgroup.h"
#include "lib/cgroup/devices.h"
#include "lib/cgroup/files.h"
#include "lib/cgroup/host.h"

using namespace edgepod;

namespace {

std::string g_top;

Resources parse(const char *json) {
  auto document = parse_json(json);
  auto resources = parse_resources(*document);
  CHECK_OK(resources);
  return resources ? *resources : Resources{};
}

// A child that waits until released, then runs `body` and exits with its
// result.
class Child {
 public:
  explicit Child(std::function<int()> body, const Cgroup *born_in = nullptr) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) abort();
    pid_ = start(born_in);
    if (pid_ == 0) {
      close(ends[1]);
      char byte;
      if (read(ends[0], &byte, 1) < 0) _exit(99);
      _exit(body());
    }
    close(ends[0]);
    release_.reset(ends[1]);
  }
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }
  pid_t pid() const { return pid_; }
  void release() { release_.reset(); }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  static pid_t start(const Cgroup *born_in) {
    if (!born_in || born_in->clone_fd() < 0) return fork();
    clone_args args{};
    args.flags = 0x200000000ULL;  // CLONE_INTO_CGROUP
    args.exit_signal = SIGCHLD;
    args.cgroup = static_cast<uint64_t>(born_in->clone_fd());
    return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
  }
  pid_t pid_ = -1;
  UniqueFd release_;
};

int sleep_forever() {
  for (;;) pause();
}

bool v1() { return cgroup_mode() == CgroupMode::V1; }

bool exists_anywhere(const std::string &path) {
  const auto &all = CgroupHost::get().hierarchies();
  return std::any_of(all.begin(), all.end(), [&](const CgroupHierarchy &h) {
    return faccessat(h.root.get(), path.c_str(), F_OK, 0) == 0;
  });
}

std::string value(const Cgroup &cgroup, const char *v1_file, const char *v2_file) {
  auto text = cgroup.read(v1() ? v1_file : v2_file);
  if (!CHECK_OK(text)) return "";
  while (text->ends_with('\n')) text->pop_back();
  return *text;
}

void test_life() {
  auto pod = Cgroup::create(g_top + "/pod1", parse(R"({"memory":{"limit":67108864}})"));
  if (!CHECK_OK(pod)) return;
  auto a = Cgroup::create(g_top + "/pod1/a", parse(R"({"memory":{"limit":33554432,"swap":33554432},
    "cpu":{"shares":512,"quota":50000,"period":100000},"pids":{"limit":10}})"));
  if (!CHECK_OK(a)) return;
  CHECK_EQ(value(*a, "memory.limit_in_bytes", "memory.max"), "33554432");
  CHECK_EQ(value(*a, "pids.max", "pids.max"), "10");

  Child child(sleep_forever, &*a);
  CHECK(child.pid() > 0);
  if (a->needs_add()) CHECK_OK(a->add(child.pid()));
  auto pids = pod->pids();
  if (CHECK_OK(pids)) {
    CHECK_EQ(pids->size(), 1u);
    CHECK(!pids->empty() && pids->front() == child.pid());
  }
  // In every hierarchy, not only in some.
  for (const CgroupHierarchy &hierarchy : CgroupHost::get().hierarchies()) {
    std::string text;
    read_cgroup_file(hierarchy.root.get(), g_top + "/pod1/a/cgroup.procs", text);
    CHECK_EQ(text, std::to_string(child.pid()) + "\n");
  }
  auto busy = pod->remove();
  CHECK(!busy && busy.error().err == EBUSY);
  auto second = Cgroup::create(g_top + "/pod1/a", {});
  CHECK(!second && second.error().err == EBUSY);

  CHECK_OK(pod->kill_all());
  int status = child.wait();
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  // A leftover without processes is replaced, limits and all.
  auto fresh = Cgroup::create(g_top + "/pod1/a", {});
  if (CHECK_OK(fresh)) CHECK(value(*fresh, "pids.max", "pids.max") == "max");
  CHECK_OK(pod->remove());
  CHECK(!exists_anywhere(g_top + "/pod1"));
  CHECK_OK(pod->remove());
  CHECK_OK(pod->kill_all());
  CHECK(pod->pids()->empty());
}

// A fresh cgroup for each: what was killed once must not be cloned into again (see clone_fd()).
void test_join(bool born_in_it) {
  std::string path = g_top + (born_in_it ? "/born" : "/joined");
  auto cgroup = Cgroup::create(path, {});
  if (!CHECK_OK(cgroup)) return;
  Child child([&] { return cgroup->join(born_in_it) ? sleep_forever() : 1; },
              born_in_it ? &*cgroup : nullptr);
  child.release();
  for (const CgroupHierarchy &hierarchy : CgroupHost::get().hierarchies()) {
    std::string text;
    for (int i = 0; i < 200 && text.empty(); ++i) {
      read_cgroup_file(hierarchy.root.get(), path + "/cgroup.procs", text);
      if (text.empty()) usleep(5000);
    }
    CHECK_EQ(text, std::to_string(child.pid()) + "\n");
  }
  CHECK_OK(cgroup->kill_all());
  int status = child.wait();
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  CHECK_OK(cgroup->remove());
}

void test_resize() {
  auto cgroup = Cgroup::create(g_top + "/resize", parse(R"({"memory":{"limit":33554432,"swap":33554432}})"));
  if (!CHECK_OK(cgroup)) return;
  auto limit = [&] { return value(*cgroup, "memory.limit_in_bytes", "memory.max"); };
  // Up (v1: memsw has to go first), down (limit first), up without swap,
  // unlimited.
  CHECK_OK(cgroup->set(parse(R"({"memory":{"limit":67108864,"swap":67108864}})")));
  CHECK_EQ(limit(), "67108864");
  CHECK_OK(cgroup->set(parse(R"({"memory":{"limit":16777216,"swap":20971520}})")));
  CHECK_EQ(limit(), "16777216");
  CHECK_OK(cgroup->set(parse(R"({"memory":{"limit":134217728}})")));
  CHECK_EQ(limit(), "134217728");
  CHECK_OK(cgroup->set(parse(R"({"memory":{"limit":-1,"swap":-1}})")));
  CHECK_OK(cgroup->set(parse(R"({"cpu":{"quota":200000,"period":1000000}})")));
  CHECK_OK(cgroup->set(parse(R"({"cpu":{"quota":5000,"period":10000}})")));
  CHECK_EQ(value(*cgroup, "cpu.cfs_period_us", "cpu.max"), v1() ? "10000" : "5000 10000");
  CHECK_OK(cgroup->remove());
}

void test_fork_storm() {
  auto cgroup = Cgroup::create(g_top + "/storm", parse(R"({"pids":{"limit":40}})"));
  if (!CHECK_OK(cgroup)) return;
  Child child([] {
    for (;;) fork();
    return 0;
  });
  CHECK_OK(cgroup->add(child.pid()));
  child.release();
  for (int i = 0; i < 200 && cgroup->pids()->size() < 40; ++i) usleep(5000);
  CHECK_EQ(cgroup->pids()->size(), 40u);
  CHECK_OK(cgroup->kill_all());
  child.wait();
  for (int i = 0; i < 50 && !cgroup->remove(); ++i) usleep(10000);
  CHECK(!exists_anywhere(g_top + "/storm"));
}

// A process that is not in the unified hierarchy must die all the same, and the
// freezer must not stay on.
void test_stray() {
  if (!v1() || !CgroupHost::get().with("freezer")) return;
  auto cgroup = Cgroup::create(g_top + "/stray", {});
  if (!CHECK_OK(cgroup)) return;
  Child child(sleep_forever);
  int freezer = CgroupHost::get().with("freezer")->root.get();
  std::string procs = g_top + "/stray/cgroup.procs";
  CHECK_EQ(write_cgroup_file(freezer, procs, std::to_string(child.pid())), 0);
  CHECK_OK(cgroup->kill_all());
  int status = child.wait();
  CHECK(WIFSIGNALED(status));
  std::string state;
  read_cgroup_file(freezer, g_top + "/stray/freezer.state", state);
  CHECK_EQ(state, "THAWED\n");
  CHECK_OK(cgroup->remove());
}

// The shim lives in its own pod's cgroup.
void test_caller_is_spared() {
  auto pod = Cgroup::create(g_top + "/self", {});
  auto infra = Cgroup::create(g_top + "/self/infra", {});
  auto a = Cgroup::create(g_top + "/self/a", {});
  if (!CHECK_OK(pod) || !CHECK_OK(infra) || !CHECK_OK(a)) return;
  Child sibling(sleep_forever), container(sleep_forever);
  Child shim([&] { return pod->kill_all() ? 42 : 1; });
  CHECK_OK(infra->add(shim.pid()));
  CHECK_OK(infra->add(sibling.pid()));
  CHECK_OK(a->add(container.pid()));
  shim.release();
  int status = shim.wait();
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
  CHECK(WIFSIGNALED(sibling.wait()));
  CHECK(WIFSIGNALED(container.wait()));
  CHECK_OK(pod->remove());
}

void test_oom() {
  auto cgroup = Cgroup::create(g_top + "/oom", parse(R"({"memory":{"limit":8388608,"swap":8388608}})"));
  if (!CHECK_OK(cgroup)) return;
  int event = cgroup->oom_event_fd();
  CHECK_EQ(cgroup->oom_kills(), 0u);
  Child child([] {
    const size_t size = 64 << 20;
    void *memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return memory == MAP_FAILED ? 2 : 0;
  });
  CHECK_OK(cgroup->add(child.pid()));
  child.release();
  int status = child.wait();
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  CHECK(cgroup->oom_kills() >= 1);
  if (event >= 0) {
    pollfd waiting{event, POLLIN, 0};
    CHECK_EQ(poll(&waiting, 1, 5000), 1);
    cgroup->drain_oom_event();
    CHECK_EQ(poll(&waiting, 1, 0), 0);
  }
  CHECK_OK(cgroup->remove());
}

// In a child inside the cgroup: 0 if /dev/null opens and /dev/kmsg is refused
// with EPERM.
int probe_devices() {
  if (open("/dev/null", O_RDWR) < 0) return 1;
  if (open("/dev/zero", O_RDONLY) < 0) return 2;
  if (open("/dev/kmsg", O_RDONLY) >= 0) return 3;
  return errno == EPERM ? 0 : 4;
}

int run_in(const Cgroup &cgroup, std::function<int()> body) {
  Child child(std::move(body));
  CHECK_OK(cgroup.add(child.pid()));
  child.release();
  int status = child.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

void test_devices() {
  auto cgroup = Cgroup::create(g_top + "/devices", parse(R"({"devices":[{"allow":false,"access":"rwm"}]})"));
  if (!CHECK_OK(cgroup)) return;
  CHECK_EQ(run_in(*cgroup, probe_devices), 0);
  // A rule after deny-all opens one more device; an update replaces the rules.
  CHECK_OK(cgroup->set(parse(R"({"devices":[{"allow":false,"access":"rwm"},
    {"allow":true,"type":"c","major":1,"minor":11,"access":"r"}]})")));
  CHECK_EQ(run_in(*cgroup, probe_devices), 3);
  CHECK_OK(cgroup->set(parse(R"({"devices":[{"allow":true,"access":"rwm"}]})")));
  CHECK_EQ(run_in(*cgroup, probe_devices), 3);
  CHECK_OK(cgroup->remove());
}

// The BPF form works on every unified hierarchy, on hybrid systems too.
void test_device_program() {
  const CgroupHierarchy *unified = CgroupHost::get().unified();
  if (!unified || !device_programs_available()) return;
  auto cgroup = Cgroup::create(g_top + "/bpf", {});
  if (!CHECK_OK(cgroup)) return;
  std::string path = g_top + "/bpf";
  auto apply = [&](std::vector<DeviceRule> rules) {
    CHECK_OK(v2_set_devices(unified->root.get(), path, with_default_devices(rules), nullptr));
    return run_in(*cgroup, probe_devices);
  };
  DeviceRule deny_all{}, allow_all{true};
  CHECK_EQ(apply({deny_all}), 0);
  CHECK_EQ(apply({deny_all, {true, 'c', 1, 11, true, false, false}}), 3);
  CHECK_EQ(apply({deny_all, {true, 'c', 1, 11, false, true, false}}),
           0);                                         // write only: reading stays refused
  CHECK_EQ(apply({deny_all, {true, 'b', 1, 11}}), 0);  // another type
  CHECK_EQ(apply({deny_all, {true, 'c', 1, -1}, {false, 'c', 1, 11, true, false, false}}), 0);
  CHECK_EQ(apply({deny_all, {true, 'c', -1, -1}}), 3);
  CHECK_EQ(apply({{false, 'c', 1, 11}}), 0);
  CHECK_EQ(apply({deny_all, allow_all}), 3);
  CHECK_EQ(apply({{true, 'c', 1, 11}, deny_all}), 0);
  CHECK_OK(cgroup->remove());
}

void test_features() {
  auto features = cgroup_features();
  if (!CHECK_OK(features)) return;
  CHECK(features->mode == cgroup_mode());
  CHECK(features->freeze);
  CHECK(!exists_anywhere("edgepod-probe-" + std::to_string(getpid())));
  CHECK_EQ(features->memory, CgroupHost::get().with("memory") != nullptr);
}

double now_us() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<double>(ts.tv_sec) * 1e6 + static_cast<double>(ts.tv_nsec) / 1e3;
}

// Only printed: what a pod with two containers costs.
void measure() {
  Resources limits = parse(
      R"({"memory":{"limit":33554432,"swap":33554432},"cpu":{"shares":512,"quota":50000,
    "period":100000},"pids":{"limit":100},"devices":[{"allow":false,"access":"rwm"}]})");
  std::vector<double> creating, removing;
  for (int i = 0; i < 20; ++i) {
    double start = now_us();
    auto pod = Cgroup::create(g_top + "/m", parse(R"({"memory":{"limit":67108864}})"));
    auto a = Cgroup::create(g_top + "/m/a", limits);
    auto b = Cgroup::create(g_top + "/m/b", limits);
    double made = now_us();
    CHECK_OK(pod->remove());
    creating.push_back(made - start);
    removing.push_back(now_us() - made);
  }
  std::sort(creating.begin(), creating.end());
  std::sort(removing.begin(), removing.end());
  std::printf("pod and 2 containers: median %.0f us to create, %.0f us to remove\n", creating[10],
              removing[10]);
}

}  // namespace

int main() {
  g_top = "edgepod-test-" + std::to_string(getpid());
  auto top = geteuid() == 0 ? Cgroup::create(g_top, {}) : Result<Cgroup>(input_error("skip", "not root"));
  if (!top) {
    std::printf("skipped: no writable cgroups (%s: %s)\n", top.error().step, top.error().detail.c_str());
    return 0;
  }
  test_life();
  test_join(false);
  test_join(true);
  test_resize();
  test_fork_storm();
  test_stray();
  test_caller_is_spared();
  test_oom();
  test_devices();
  test_device_program();
  test_features();
  measure();
  CHECK_OK(top->remove());
  CHECK(!exists_anywhere(g_top));
  return check_report();
}
