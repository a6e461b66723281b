// The order of the steps is the design: each comment says what would go wrong elsewhere.
#include "lib/container_init.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "lib/cgroup/cgroup.h"
#include "lib/dev.h"
#include "lib/loopback.h"
#include "lib/lsm.h"
#include "lib/mount.h"
#include "lib/path_in_root.h"
#include "lib/process.h"
#include "lib/procfs.h"
#include "lib/rootfs.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

int own_namespaces(const NamespacePlan& plan) {
  int own = static_cast<int>(plan.clone_flags);
  for (const auto& joined : plan.joined) own |= joined.first;
  return own;
}

Result<Ok> set_names(const Spec& spec) {
  if (!spec.hostname.empty() && sethostname(spec.hostname.data(), spec.hostname.size()) < 0)
    return errno_error("hostname");
  if (!spec.domainname.empty() && setdomainname(spec.domainname.data(), spec.domainname.size()) < 0)
    return errno_error("domainname");
  return Ok{};
}

Result<Ok> enter_namespaces(const InitContext& context) {
  const NamespacePlan& plan = *context.namespaces;
  const ContainerParams& params = *context.params;
  if (plan.sandbox_mask) EDGEPOD_TRY(join_process(params.infra_pidfd, params.infra_pid, plan.sandbox_mask));
  for (const auto& [flag, fd] : plan.joined)
    if (setns(fd.get(), flag) < 0) return errno_error("join-namespaces");
  // Only now: its root is the cgroup the process is in at this moment.
  if (plan.new_cgroup && unshare(CLONE_NEWCGROUP) < 0) return errno_error("cgroup-namespace");
  if (plan.new_network()) EDGEPOD_TRY(bring_loopback_up());
  if (plan.new_uts()) EDGEPOD_TRY(set_names(*params.spec));
  // A sandbox's sysctls are set with the sandbox; a container of it may not change what it shares.
  const int own = plan.sandbox_mask ? 0 : own_namespaces(plan);
  return write_sysctls(params.spec->sysctl, own);
}

// The working directory exists when the program starts, as with other runtimes. Made below the root, so that
// a link in the image cannot have it made on the host (CVE-2026-55686); a path through procfs is refused here
// already.
Result<Ok> make_working_directory(const Spec& spec, int root_fd, uint32_t first_id) {
  auto made = make_dir_in_root(root_fd, spec.process.cwd);
  struct stat st;
  // What belongs to the host's root in a root of mapped layers has just been made.
  if (made && first_id && fstat(made->get(), &st) == 0 && st.st_uid == 0)
    (void)!fchownat(made->get(), "", first_id, first_id, AT_EMPTY_PATH);
  if (made || made.error().err == EROFS) return Ok{};
  return Error{"chdir", made.error().err, made.error().detail};
}

bool has_variable(const std::vector<std::string>& env, std::string_view prefix) {
  for (const std::string& entry : env)
    if (entry.rfind(prefix, 0) == 0) return true;
  return false;
}

// A descriptor from the parent belongs to the parent's mount namespace, where nothing can be mounted from
// here: the same directory as this namespace has it.
Result<UniqueFd> reopen_bundle(int bundle_fd) {
  // The working directory moved along into this namespace by itself.
  if (bundle_fd == AT_FDCWD) {
    UniqueFd here(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!here) return errno_error("open-bundle", ".");
    return here;
  }
  char path[PATH_MAX];
  const ssize_t n = readlink(FdPath(bundle_fd).text, path, sizeof path - 1);
  if (n < 0) return errno_error("open-bundle");
  path[n] = '\0';
  UniqueFd here(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat want, got;
  if (!here || fstat(bundle_fd, &want) < 0 || fstat(here.get(), &got) < 0)
    return errno_error("open-bundle", path);
  if (want.st_dev != got.st_dev || want.st_ino != got.st_ino)
    return input_error("open-bundle", std::string(path) + ": was replaced", EAGAIN);
  return here;
}

// All of it before pivot_root: bind sources and the host's /proc are still there, nothing of the image is
// trusted.
Result<Identity> build_root(const InitContext& context) {
  const ContainerParams& params = *context.params;
  const Spec& spec = *params.spec;
  EDGEPOD_TRY(isolate_propagation(spec));
  auto bundle = reopen_bundle(params.bundle_fd);
  if (!bundle) return std::move(bundle.error());
  auto mounts = plan_mounts(spec.mounts, bundle->get(), params.users);
  if (!mounts) return std::move(mounts.error());
  auto root = mount_root(spec, bundle->get(), params.users);
  if (!root) return std::move(root.error());
  for (PlannedMount& mount : *mounts)
    EDGEPOD_TRY(attach_mount(root->get(), mount, context.namespaces->new_cgroup));
  EDGEPOD_TRY(populate_dev(spec, root->get(), params.users.first));
  EDGEPOD_TRY(make_working_directory(spec, root->get(), params.users.first));
  auto identity = resolve_identity(spec, root->get(), !has_variable(spec.process.env, "HOME="));
  if (!identity) return identity;
  EDGEPOD_TRY(protect_paths(spec, root->get()));
  if (spec.root_readonly) EDGEPOD_TRY(set_mount_attributes(root->get(), MOUNT_ATTR_RDONLY, 0, false));
  EDGEPOD_TRY(pivot_into(root->get()));
  return identity;
}

Result<Identity> set_up(const InitContext& context, int error_fd, bool in_cgroup) {
  const ContainerParams& params = *context.params;
  if (params.pdeathsig) EDGEPOD_TRY(die_with_parent(error_fd));
  EDGEPOD_TRY(take_stdio(params.stdio.in, params.stdio.out, params.stdio.err));
  umask(0);
  EDGEPOD_TRY(enter_cgroup(params.cgroup, in_cgroup));
  EDGEPOD_TRY(set_oom_score_adj(params.spec->process));
  EDGEPOD_TRY(enter_namespaces(context));
  leave_session_keyring();
  EDGEPOD_TRY(set_apparmor_profile(params.spec->process.apparmor_profile));
  return build_root(context);
}

}  // namespace

Result<Ok> enter_cgroup(const Cgroup* cgroup, bool born_in_it) {
  if (!cgroup || (born_in_it && !cgroup->needs_add())) return Ok{};
  return cgroup->join(born_in_it);
}

Error run_container_init(const InitContext& context, int& error_fd, bool in_cgroup) {
  const SpecProcess& process = context.params->spec->process;
  auto identity = set_up(context, error_fd, in_cgroup);
  if (!identity) return std::move(identity.error());
  auto left = leave_host_descriptors(error_fd, context.params->start_gate, context.params->users.fd);
  if (!left) return std::move(left.error());
  error_fd = kErrorFd;
  ProcessPlan plan;
  plan.process = &process;
  plan.args = process.args;
  plan.env = build_environment(process.env, {}, identity->home);
  plan.identity = std::move(*identity);
  plan.cwd = process.cwd;
  plan.seccomp = context.seccomp;
  plan.pdeathsig = context.params->pdeathsig;
  plan.users = context.params->users;
  plan.own_mounts = true;
  plan.has_gate = context.params->start_gate >= 0;
  return become(plan);
}

}  // namespace edgepod
