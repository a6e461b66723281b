#include "lib/cgroup/host.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>

#include "lib/cgroup/files.h"

namespace edgepod {

namespace {

constexpr size_t kMaxMountinfo = 4 * 1024 * 1024;
const CgroupHost* g_test_host = nullptr;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out.push_back(
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// Super-block options of a v1 mount that name a controller or a named hierarchy.
std::vector<std::string> v1_controllers(std::string_view options) {
  static constexpr std::string_view kKnown[] = {"cpu",     "cpuacct",    "cpuset", "memory",  "devices",
                                                "freezer", "blkio",      "pids",   "net_cls", "net_prio",
                                                "hugetlb", "perf_event", "rdma",   "misc"};
  std::vector<std::string> found;
  for (std::string_view option : split(options, ',')) {
    bool known = std::find(std::begin(kKnown), std::end(kKnown), option) != std::end(kKnown);
    if (known || option.starts_with("name=")) found.emplace_back(option);
  }
  return found;
}

std::vector<std::string> unified_controllers(int root) {
  std::string text;
  std::vector<std::string> found;
  if (read_cgroup_file(root, "cgroup.controllers", text) != 0) return found;
  while (text.ends_with('\n')) text.pop_back();
  for (std::string_view name : split(text, ' ')) {
    if (!name.empty()) found.emplace_back(name);
  }
  return found;
}

bool is_filesystem(int fd, long magic) {
  struct statfs info;
  return fstatfs(fd, &info) == 0 && static_cast<long>(info.f_type) == magic;
}

struct MountLine {
  std::string_view device, mount_point, type, super_options;
};

// "36 35 98:0 /root /mount rw,… optional… - type source super-options"
bool parse_mount_line(std::string_view line, MountLine& out) {
  std::vector<std::string_view> fields = split(line, ' ');
  auto dash = std::find(fields.begin(), fields.end(), "-");
  if (fields.size() < 10 || fields.end() - dash < 4) return false;
  out = {fields[2], fields[4], dash[1], dash[3]};
  return true;
}

std::string read_mountinfo() {
  std::string text;
  UniqueFd fd(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  char buffer[8192];
  ssize_t n;
  while (fd && text.size() < kMaxMountinfo && (n = read(fd.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

}  // namespace

bool CgroupHierarchy::has(std::string_view controller) const {
  return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

CgroupHost CgroupHost::from_mountinfo(std::string_view mountinfo, bool verify) {
  CgroupHost host;
  std::vector<std::string_view> seen;  // one hierarchy may be mounted in several places
  for (std::string_view line : split(mountinfo, '\n')) {
    MountLine mount;
    if (!parse_mount_line(line, mount)) continue;
    bool unified = mount.type == "cgroup2";
    if (!unified && mount.type != "cgroup") continue;
    if (std::find(seen.begin(), seen.end(), mount.device) != seen.end()) continue;

    CgroupHierarchy hierarchy;
    hierarchy.unified = unified;
    hierarchy.mount_point = unescape(mount.mount_point);
    hierarchy.root.reset(open(hierarchy.mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!hierarchy.root) continue;
    if (verify && !is_filesystem(hierarchy.root.get(), unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC)) {
      continue;
    }
    seen.push_back(mount.device);
    hierarchy.controllers =
        unified ? unified_controllers(hierarchy.root.get()) : v1_controllers(mount.super_options);
    if (!unified && hierarchy.controllers.empty()) continue;
    host.hierarchies_.push_back(std::move(hierarchy));
  }
  for (const CgroupHierarchy& hierarchy : host.hierarchies_) {
    bool named = !hierarchy.unified && hierarchy.controllers[0].starts_with("name=");
    if (!hierarchy.unified && !named) host.mode_ = CgroupMode::V1;
  }
  return host;
}

const CgroupHost& CgroupHost::get() {
  if (g_test_host) return *g_test_host;
  static const CgroupHost* host = new CgroupHost(from_mountinfo(read_mountinfo()));
  return *host;
}

void CgroupHost::use_for_tests(const CgroupHost* host) { g_test_host = host; }

const CgroupHierarchy* CgroupHost::unified() const {
  for (const CgroupHierarchy& hierarchy : hierarchies_) {
    if (hierarchy.unified) return &hierarchy;
  }
  return nullptr;
}

const CgroupHierarchy* CgroupHost::with(std::string_view controller) const {
  for (const CgroupHierarchy& hierarchy : hierarchies_) {
    if (hierarchy.has(controller)) return &hierarchy;
  }
  return nullptr;
}

const CgroupHierarchy* CgroupHost::primary() const {
  if (mode_ == CgroupMode::V1) {
    // The freezer first: killing freezes there, and the frozen list must be the one that is read.
    for (const char* name : {"freezer", "pids", "memory", "cpu"}) {
      const CgroupHierarchy* found = with(name);
      if (found && !found->unified) return found;
    }
  }
  if (const CgroupHierarchy* found = unified()) return found;
  return hierarchies_.empty() ? nullptr : &hierarchies_[0];
}

CgroupMode cgroup_mode() { return CgroupHost::get().mode(); }

}  // namespace edgepod
