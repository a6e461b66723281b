// The configuration parser: what is read, and above all what is refused and how the refusal reads.
#include "lib/spec.h"

#include <sched.h>
#include <sys/resource.h>

#include <vector>

#include "check.h"

using namespace edgepod;

namespace {

// A document with `process` and `rest` members given; the smallest that is valid otherwise.
std::string document(const std::string& process, const std::string& rest = "") {
  return R"({"ociVersion":"1.2.0","root":{"path":"rootfs"},"process":{"args":["true"],"cwd":"/")" +
         (process.empty() ? "" : "," + process) + "}" + (rest.empty() ? "" : "," + rest) + "}";
}

std::string refusal(const std::string& text) {
  const auto spec = parse_spec(text);
  return spec ? "accepted" : spec.error().detail;
}

void reads_everything() {
  auto spec = parse_spec(document(
      R"("user":{"uid":1000,"gid":2147483647,"umask":18,"additionalGids":[5,0]},"env":["A=b=c","E="],"noNewPrivileges":true,
         "oomScoreAdj":-998,"capabilities":{"bounding":["CAP_CHOWN","CAP_FUTURE"],"effective":["CAP_CHECKPOINT_RESTORE"]},
         "rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":18446744073709551615}])",
      R"("hostname":"web","annotations":{"io.edgepod.user":"www"},"unknown":{"deep":[1,2.5,null]},
         "mounts":[{"destination":"/proc","type":"proc","source":"proc","options":["nosuid"]},{"destination":"/x"}],
         "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/n"}],"maskedPaths":["/proc/kcore"],
           "sysctl":{"net.core.somaxconn":"1"},"cgroupsPath":"/a/b","seccomp":{"defaultAction":"x"},"resources":null,
           "devices":[{"path":"/dev/x","type":"b","major":8,"minor":1,"fileMode":25008,"uid":3}],"readonlyPaths":null})"));
  if (!CHECK_OK(spec)) return;
  CHECK_EQ(spec->process.user.uid, 1000u);
  CHECK_EQ(spec->process.user.gid, 2147483647u);
  CHECK_EQ(*spec->process.user.umask, 18u);
  CHECK_EQ(spec->process.user.additional_gids.size(), 2u);
  CHECK_EQ(spec->process.env[0], "A=b=c");
  CHECK_EQ(spec->process.capabilities->bounding, 1u);
  CHECK_EQ(spec->process.capabilities->effective, uint64_t{1} << 40);
  CHECK_EQ(spec->process.capabilities->inheritable, 0u);
  CHECK_EQ(spec->process.rlimits[0].resource, static_cast<int>(RLIMIT_NOFILE));
  CHECK_EQ(spec->process.rlimits[0].hard, UINT64_MAX);
  CHECK_EQ(*spec->process.oom_score_adj, -998);
  CHECK(spec->process.no_new_privileges && !spec->process.terminal && !spec->root_readonly &&
        !spec->has_hooks);
  CHECK_EQ(spec->mounts.size(), 2u);
  CHECK_EQ(spec->find_namespace(CLONE_NEWNET)->path, "/run/n");
  CHECK(!spec->find_namespace(CLONE_NEWUTS));
  CHECK_EQ(*spec->annotation(kAnnotationUser), "www");
  CHECK(spec->seccomp && !spec->resources);
  CHECK_EQ(spec->devices[0].mode, 0660u);
  CHECK_EQ(spec->devices[0].type, 'b');
}

struct Case {
  std::string text, detail;
};

void refuses_wrong_processes() {
  const Case cases[] = {
      {document(R"("args":["x"],"user":{"uid":"0x0"})"), "process.user.uid: must be an integer"},
      {document(R"("user":{"uid":""})"), "process.user.uid: must be an integer"},
      {document(R"("user":{"uid":" 0"})"), "process.user.uid: must be an integer"},
      {document(R"("user":{"uid":-1})"), "process.user.uid: is out of range"},
      {document(R"("user":{"uid":2147483648})"), "process.user.uid: is out of range"},
      {document(R"("user":{"uid":4294967296})"), "process.user.uid: is out of range"},
      {document(R"("user":{"uid":18446744073709551616})"), "process.user.uid: must be an integer"},
      {document(R"("user":{"uid":1.5})"), "process.user.uid: must be an integer"},
      {document(R"("user":{"uid":1e3})"), "process.user.uid: must be an integer"},
      {document(R"("user":{"gid":true})"), "process.user.gid: must be an integer"},
      {document(R"("user":{"additionalGids":[-1]})"), "process.user.additionalGids: must hold group ids"},
      {document(R"("user":[])"), "process.user: must be an object"},
      {document(R"("env":["FOO"])"), "process.env: must hold KEY=VALUE entries"},
      {document(R"("env":["=x"])"), "process.env: must hold KEY=VALUE entries"},
      {document(R"("env":["A=b",1])"), "process.env[1]: must be a string"},
      {document(R"("env":["A=\u0000"])"), "process.env[0]: contains NUL"},
      {document(R"("rlimits":[{"type":"RLIMIT_X","soft":1,"hard":1}])"),
       "process.rlimits[0].type: is not a resource limit"},
      {document(R"("rlimits":[{"type":"RLIMIT_CPU","soft":2,"hard":1}])"),
       "process.rlimits[0].soft: is above hard"},
      {document(R"("rlimits":[{"type":"RLIMIT_CPU","soft":2}])"), "process.rlimits[0].hard: is required"},
      {document(R"("rlimits":[{"type":"RLIMIT_CPU","soft":-1,"hard":1}])"),
       "process.rlimits[0].soft: must be a non-negative integer"},
      {document(R"("oomScoreAdj":1001)"), "process.oomScoreAdj: is out of range"},
      {document(R"("selinuxLabel":"x")"), "process.selinuxLabel: is not supported"},
      {document(R"("capabilities":["CAP_CHOWN"])"), "process.capabilities: must be an object"},
      {document(R"("noNewPrivileges":"true")"), "process.noNewPrivileges: must be true or false"},
  };
  for (const Case& item : cases) CHECK_EQ(refusal(item.text), item.detail);
}

void refuses_wrong_documents() {
  const Case cases[] = {
      {"", "The document is empty. (byte 0)"},
      {"[]", "document: must be an object"},
      {"{}", "ociVersion: is required"},
      {R"({"ociVersion":"2.0"})", "ociVersion: must be 1.x"},
      {R"({"ociVersion":"1.0.0"})", "process: is required"},
      {document("") + "x", "The document root must not be followed by other values. (byte 85)"},
      {document("", R"("root":{"path":7})"), "accepted"},  // the first of two equal members counts
      {document("", R"("hostname":7)"), "hostname: must be a string"},
      {document("", R"("mounts":{})"), "mounts: must be an array"},
      {document("", R"("mounts":[{}])"), "mounts[0].destination: is required"},
      {document("", R"("mounts":[{"destination":"x"}])"), "mounts[0].destination: must be an absolute path"},
      {document("", R"("mounts":[{"destination":"/x","options":"ro"}])"),
       "mounts[0].options: must be an array"},
      {document("", R"("mounts":[{"destination":"/x","uidMappings":[{}]}])"),
       "mounts[0].uidMappings: id-mapped mounts are not supported"},
      {document("", R"("linux":{"namespaces":[{"type":"user"}]})"),
       "linux.namespaces[0].type: is not a supported namespace (user and time are not)"},
      {document("", R"("linux":{"namespaces":[{"type":"pid"},{"type":"pid"}]})"),
       "linux.namespaces[1].type: is listed twice"},
      {document("", R"("linux":{"namespaces":[{"type":"mount","path":"/x"}]})"),
       "linux.namespaces[0].path: mount and cgroup namespaces cannot be joined"},
      {document("", R"("linux":{"maskedPaths":["proc"]})"), "linux.maskedPaths: must hold absolute paths"},
      {document("", R"("linux":{"uidMappings":[{"hostID":0}]})"), "linux.uidMappings: is not supported"},
      {document("", R"("linux":{"seccomp":[]})"), "linux.seccomp: must be an object"},
      {document("", R"("linux":{"devices":[{"path":"/dev/x","type":"q"}]})"),
       "linux.devices[0].type: must be c, b, u or p"},
      {document("", R"("annotations":{"a":1})"), "annotations.a: must be a string"},
      {document("", "\"hostname\":\"\xff\""), "Invalid encoding in string. (byte 97)"},
      {document("", "\"x\":" + std::string(33, '[') + std::string(33, ']')), "nesting is deeper than 32"},
      {std::string(1 << 21, ' '), "document has more than 1048576 bytes"},
  };
  for (const Case& item : cases) CHECK_EQ(refusal(item.text), item.detail);
}

void brackets_in_strings_are_not_depth() {
  CHECK_EQ(refusal(document("", "\"hostname\":\"" + std::string(40, '[') + "\\\"[\"")), "accepted");
}

}  // namespace

int main() {
  reads_everything();
  refuses_wrong_processes();
  refuses_wrong_documents();
  brackets_in_strings_are_not_depth();
  return check_report();
}
