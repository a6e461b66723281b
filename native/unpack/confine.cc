#include "unpack/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "confine";
constexpr uint64_t kMaxMemory = 768ULL << 20;  // zstd windows go up to 128 MiB

Result<Ok> limit_resources(uint64_t max_file) {
  const struct {
    int resource;
    rlim_t value;
  } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_AS, kMaxMemory}, {RLIMIT_NOFILE, 1024}, {RLIMIT_FSIZE, max_file}};
  for (const auto& [resource, value] : limits) {
    struct rlimit current;
    if (getrlimit(static_cast<__rlimit_resource>(resource), &current) != 0)
      return errno_error(kStep, "getrlimit");
    // Never above what we were given: raising needs CAP_SYS_RESOURCE.
    const rlim_t wanted = current.rlim_max < value ? current.rlim_max : value;
    const struct rlimit limit = {wanted, wanted};
    if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0)
      return errno_error(kStep, "setrlimit");
  }
  signal(SIGXFSZ, SIG_IGN);  // EFBIG instead
  return Ok{};
}

// What a tree with foreign owners, set-id bits, device nodes and file capabilities takes. CAP_SYS_ADMIN is
// for trusted.overlay.opaque alone: the namespaces, mounts and the like it also means are behind the call
// filter.
Result<Ok> drop_capabilities(bool writing) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  uint64_t keep = 0;
  if (writing)
    for (const int cap :
         {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP, CAP_SYS_ADMIN})
      keep |= 1ULL << cap;
  for (int i = 0; i < 2; i++) {
    const auto word = static_cast<uint32_t>(keep >> (32 * i));
    data[i] = {word, word, 0};
  }
  if (syscall(SYS_capset, &header, data) != 0) return errno_error(kStep, "capset");
  return Ok{};
}

// An empty tmpfs becomes the root. A library that loads modules by name (iconv's, for one) must find nothing,
// least of all in the tree being unpacked: that is how CVE-2019-14271 (docker cp) ran code of the image as
// root. A mistake in name resolution finds nothing either.
Result<UniqueFd> enter_empty_root(const char* directory) {
  UniqueFd target(directory ? open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1);
  if (directory && !target) return errno_error("open-target", directory);
  if (unshare(CLONE_NEWNS) != 0) return errno_error(kStep, "mount namespace");
  if (sys_mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return errno_error(kStep, "private mounts");
  // Opened again: the first descriptor belongs to the mount namespace we left and cannot be bound from here.
  if (directory) target.reset(open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory && !target) return errno_error("open-target", directory);
  constexpr uint64_t kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  constexpr const char* kRoot = "/tmp";  // any directory there is on every system
  if (sys_mount("edgepod", kRoot, "tmpfs", kFlags, "size=64k,nr_inodes=8,mode=0700") != 0)
    return errno_error(kStep, "empty root");
  if (chdir(kRoot) != 0) return errno_error(kStep, kRoot);
  UniqueFd inside;
  if (directory) {
    if (mkdir("target", 0700) != 0) return errno_error(kStep, "target");
    if (sys_mount(FdPath(target.get()).text, "target", nullptr, MS_BIND, nullptr) != 0)
      return errno_error(kStep, "bind target");
    if (sys_mount(nullptr, "target", nullptr, MS_BIND | MS_REMOUNT | kFlags, nullptr) != 0)
      return errno_error(kStep, "remount target");
    inside.reset(open("target", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inside) return errno_error("open-target", directory);
  }
  // On a root file system that cannot be pivoted away (an initramfs), chroot: without CAP_SYS_CHROOT and with
  // the call filter there is no way back from that either.
  if (sys_pivot_root(".", ".") == 0) {
    if (sys_umount(".", MNT_DETACH) != 0) return errno_error(kStep, "detach old root");
  } else if (chroot(".") != 0) {
    return errno_error(kStep, "change root");
  }
  if (chdir("/") != 0) return errno_error(kStep, "/");
  return inside;
}

Result<Ok> give_up(bool writing, uint64_t max_file) {
  EDGEPOD_TRY(limit_resources(max_file));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error(kStep, "no_new_privs");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno_error(kStep, "dumpable");
  return drop_capabilities(writing);
}

}  // namespace

Result<Ok> die_with_parent() {
  const pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno_error("parent", "pdeathsig");
  if (getppid() != parent) return input_error("parent", "is gone", ESRCH);
  return Ok{};
}

Result<UniqueFd> confine_to(const char* directory, uint64_t max_file) {
  auto target = enter_empty_root(directory);
  if (!target) return target;
  umask(0);
  EDGEPOD_TRY(give_up(true, max_file));
  EDGEPOD_TRY(filter_system_calls());
  return target;
}

Result<Ok> confine_readonly() {
  auto root = enter_empty_root(nullptr);
  if (!root) return std::move(root.error());
  EDGEPOD_TRY(give_up(false, RLIM_INFINITY));
  return filter_system_calls();
}

}  // namespace edgepod
