// Mounts of volumes: mountTmpfs(path, bytes, mode) · mountLayers(path, lowerDirs) · unmount(path, detach).
#include <fcntl.h>
#include <sys/mount.h>

#include <cstdio>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/task.h"
#include "lib/fd.h"
#include "lib/overlay.h"

namespace edgepod {

namespace {

Result<Ok> mount_tmpfs(const std::string& path, uint64_t size, unsigned mode) {
  // Mounted through a fd that refused a symlink as the last component: a pod must not choose where this
  // lands.
  UniqueFd const target(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!target) return errno_error("tmpfs-mount", path);
  char options[64];
  snprintf(options, sizeof options, "size=%llu,mode=%o", static_cast<unsigned long long>(size),
           mode & 07777u);
  std::string const place = "/proc/self/fd/" + std::to_string(target.get());
  // What is in there may be a Secret: "noswap" keeps it off the disk. Kernels before 6.4 do not know the
  // word.
  std::string const unswapped = std::string(options) + ",noswap";
  if (mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, unswapped.c_str()) == 0) return Ok{};
  if (errno != EINVAL || mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options) != 0)
    return errno_error("tmpfs-mount", path);
  return Ok{};
}

Napi::Value mount_tmpfs_js(const Napi::CallbackInfo& info) {
  auto path = string_argument(info, 0, "path");
  auto size = path ? number_argument(info, 1, "bytes") : std::nullopt;
  auto mode = size ? number_argument(info, 2, "mode") : std::nullopt;
  if (!mode) return info.Env().Undefined();
  // 0 would mean "no limit" to tmpfs: a volume that may eat the board's memory. Compared so that NaN fails
  // too.
  if (!(*size >= 1 && *size <= 9007199254740991.0))
    return throw_error(info.Env(), input_error("tmpfs-mount", *path + ": size must be at least one byte"));
  return start_function(
      info.Env(), [path = *path, size = static_cast<uint64_t>(*size), mode = static_cast<unsigned>(*mode)]() {
        return mount_tmpfs(path, size, mode);
      });
}

Napi::Value mount_layers_js(const Napi::CallbackInfo& info) {
  auto path = string_argument(info, 0, "path");
  auto lower = path ? strings_argument(info, 1, "lowerDirs") : std::nullopt;
  if (!lower) return info.Env().Undefined();
  return start_function(info.Env(),
                        [path = *path, lower = std::move(*lower)]() { return mount_layers(lower, path); });
}

Napi::Value unmount_js(const Napi::CallbackInfo& info) {
  auto path = string_argument(info, 0, "path");
  if (!path) return info.Env().Undefined();
  int const flags = UMOUNT_NOFOLLOW | (info[1].ToBoolean().Value() ? MNT_DETACH : 0);
  return start_function(info.Env(), [path = *path, flags]() -> Result<Ok> {
    if (umount2(path.c_str(), flags) == 0 || errno == EINVAL || errno == ENOENT)
      return Ok{};  // nothing mounted there
    return errno_error("unmount", path);
  });
}

}  // namespace

void export_mounts(Napi::Env env, Napi::Object exports) {
  exports.Set("mountTmpfs", Napi::Function::New(env, mount_tmpfs_js, "mountTmpfs"));
  exports.Set("mountLayers", Napi::Function::New(env, mount_layers_js, "mountLayers"));
  exports.Set("unmount", Napi::Function::New(env, unmount_js, "unmount"));
}

}  // namespace edgepod
