// Mount options as attributes: order, inverses, the access-time field, and data for file systems.
#include "lib/mount_options.h"

#include <sched.h>

#include "check.h"
#include "lib/procfs.h"
#include "lib/sys.h"

using namespace edgepod;

namespace {

MountOptions parsed(const std::vector<std::string>& options, bool bind = false) {
  auto out = parse_mount_options(options, bind);
  CHECK_OK(out);
  return out ? *out : MountOptions{};
}

void attributes() {
  const MountOptions proc = parsed({"nosuid", "noexec", "nodev", "ro"});
  CHECK_EQ(proc.set, uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY});
  CHECK_EQ(parsed({"ro", "rw"}).set, 0u);
  CHECK_EQ(parsed({"ro", "rw"}).clear, uint64_t{MOUNT_ATTR_RDONLY});
  CHECK_EQ(parsed({"rw", "ro"}).clear, 0u);
  CHECK_EQ(parsed({"strictatime"}).set, uint64_t{MOUNT_ATTR_STRICTATIME});
  CHECK_EQ(parsed({"strictatime"}).clear, uint64_t{MOUNT_ATTR__ATIME});
  CHECK_EQ(parsed({"noatime", "relatime"}).set, 0u);
  CHECK_EQ(parsed({"rro", "rnosuid"}, true).recursive_set, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID});
}

void binds_and_data() {
  CHECK(parsed({"rbind", "ro"}).bind && parsed({"rbind"}).recursive && !parsed({"bind"}).recursive);
  CHECK(parsed({"rbind", "rprivate"}).propagation == MS_PRIVATE &&
        parsed({"rprivate"}).propagation_recursive);
  const MountOptions tmpfs = parsed({"mode=755", "nosuid", "size=64m", "newinstance"});
  CHECK_EQ(tmpfs.data.size(), 3u);
  CHECK_EQ(tmpfs.data[1].first, "size");
  CHECK_EQ(tmpfs.data[2].second, "");
  CHECK_EQ(parsed({"rbind", "x-edgepod.subpath=a/b"}).subpath, "a/b");
  CHECK(!parse_mount_options({"bind", "size=1"}, false));
  CHECK(parse_mount_options({"idmap"}, true)->id_mapped);
  CHECK(!parse_mount_options({"idmap"}, false));
  CHECK(!parse_mount_options({"ridmap"}, true));
  CHECK(!parse_mount_options({"x-edgepod.subpath=a"}, false));
}

void old_flags() {
  CHECK_EQ(mount_flags(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME), uint64_t{MS_RDONLY | MS_NOATIME});
  CHECK_EQ(mount_flags(MOUNT_ATTR_STRICTATIME), uint64_t{MS_STRICTATIME});
  CHECK_EQ(mount_flags(0), 0u);
}

void sysctls() {
  CHECK_EQ(sysctl_namespace("net.ipv4.ip_forward"), CLONE_NEWNET);
  CHECK_EQ(sysctl_namespace("net/ipv4/conf/eth0.1/forwarding"), CLONE_NEWNET);
  CHECK_EQ(sysctl_namespace("kernel.shmmax"), CLONE_NEWIPC);
  CHECK_EQ(sysctl_namespace("fs.mqueue.msg_max"), CLONE_NEWIPC);
  for (const char* host : {"kernel.core_pattern", "vm.swappiness", "fs.file-max", "netx.y", "kernel.shmmaxx"})
    CHECK_EQ(sysctl_namespace(host), 0);
}

}  // namespace

int main() {
  attributes();
  binds_and_data();
  old_flags();
  sysctls();
  return check_report();
}
