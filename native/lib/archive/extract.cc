#include "lib/archive/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <climits>

#include "lib/archive/tar_stream.h"
#include "lib/archive/tree_writer.h"

namespace edgepod {
namespace {

class Extraction {
 public:
  Extraction(int source_fd, std::optional<ByteRange> range, int target_fd, const LayerOptions& options)
      : options_(options), stream_(source_fd, range, options.limits), tree_(target_fd), target_(target_fd) {}

  Result<LayerReport> run();

 private:
  Result<Ok> one(archive_entry* entry);
  Result<Ok> place(archive_entry* entry, const EntryName& name);
  Result<Ok> regular_file(archive_entry* entry, const EntryName& name, const Metadata& metadata);
  Result<Ok> special(archive_entry* entry, const EntryName& name, const Metadata& metadata);
  Result<Ok> link_to(archive_entry* entry, const EntryName& name, const Metadata& metadata);
  Result<Ok> verify();

  const LayerOptions& options_;
  TarStream stream_;
  TreeWriter tree_;
  int target_;
  LayerReport report_;
};

Error refuse(const EntryName& name, const char* why, int err = EINVAL) {
  return input_error("read-entry", "entry " + quoted_name(name.path()) + ": " + why, err);
}

Result<Metadata> metadata_of(archive_entry* entry, const EntryName& name) {
  const int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
  // The last value means "leave as it is" to chown(2); anything beyond would wrap around to somebody else.
  constexpr int64_t kMaxId = UINT_MAX - 1;
  if (uid < 0 || uid > kMaxId || gid < 0 || gid > kMaxId)
    return refuse(name, "owner is out of range", ERANGE);
  Metadata metadata;
  metadata.mode = archive_entry_perm(entry) & 07777;
  metadata.uid = static_cast<uid_t>(uid);
  metadata.gid = static_cast<gid_t>(gid);
  metadata.mtime = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
  const char* key;
  const void* value;
  size_t size;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK)
    metadata.xattrs.emplace_back(key, std::string(static_cast<const char*>(value), size));
  return metadata;
}

Result<LayerReport> Extraction::run() {
  EDGEPOD_TRY(stream_.open());
  for (;;) {
    auto entry = stream_.next();
    if (!entry) return std::move(entry.error());
    if (!*entry) break;
    if (++report_.entries > options_.max_entries)
      return input_error("layer-limit", "more than " + std::to_string(options_.max_entries) + " entries",
                         E2BIG);
    EDGEPOD_TRY(one(*entry));
  }
  EDGEPOD_TRY(stream_.finish());
  EDGEPOD_TRY(tree_.finish());
  EDGEPOD_TRY(verify());
  // One flush for the whole layer: the rename that makes it visible must not reach the disk before its
  // content.
  if (syncfs(target_) != 0) return errno_error("sync");
  report_.opaque_root = tree_.opaque_root();
  report_.xattrs_dropped = tree_.xattrs_dropped();
  return std::move(report_);
}

Result<Ok> Extraction::verify() {
  report_.blob_digest = stream_.plain().blob_digest();
  report_.diff_id = stream_.plain().plain_digest();
  report_.blob_bytes = stream_.plain().blob_bytes();
  if (!options_.blob_digest.empty() && report_.blob_digest != options_.blob_digest)
    return input_error("verify-digest",
                       "the layer is " + report_.blob_digest + ", expected " + options_.blob_digest, EBADMSG);
  if (!options_.diff_id.empty() && report_.diff_id != options_.diff_id)
    return input_error("verify-diff-id",
                       "the uncompressed layer is " + report_.diff_id + ", expected " + options_.diff_id,
                       EBADMSG);
  return Ok{};
}

Result<Ok> Extraction::one(archive_entry* entry) {
  auto name = parse_layer_name(archive_entry_pathname(entry));
  if (!name) return std::move(name.error());
  switch (name->kind) {
    case NameKind::Whiteout:
      return tree_.whiteout(*name);
    case NameKind::Opaque:
      return tree_.opaque(*name);
    case NameKind::Reserved:
      return Ok{};
    case NameKind::Root:
    case NameKind::Plain:
      return place(entry, *name);
  }
  return Ok{};
}

Result<Ok> Extraction::place(archive_entry* entry, const EntryName& name) {
  auto metadata = metadata_of(entry, name);
  if (!metadata) return std::move(metadata.error());
  const bool is_hardlink = archive_entry_hardlink(entry) != nullptr;
  const auto type = is_hardlink ? 0 : archive_entry_filetype(entry);
  if (name.kind == NameKind::Root && type != AE_IFDIR)
    return refuse(name, "the top of the layer must be a directory");
  if (is_hardlink) return link_to(entry, name, *metadata);
  switch (type) {
    case AE_IFREG:
      return regular_file(entry, name, *metadata);
    case AE_IFDIR:
      return tree_.directory(name, *metadata);
    case AE_IFLNK:
      return link_to(entry, name, *metadata);
    case AE_IFIFO:
    case AE_IFCHR:
    case AE_IFBLK:
      return special(entry, name, *metadata);
    default:
      return refuse(name, "unknown type of entry", ENOTSUP);
  }
}

Result<Ok> Extraction::regular_file(archive_entry* entry, const EntryName& name, const Metadata& metadata) {
  const int64_t size = archive_entry_size(entry);
  // Declared sizes are checked before anything is written, as a sparse entry claims far more than it carries.
  if (size < 0 || static_cast<uint64_t>(size) > options_.limits.max_bytes - report_.bytes)
    return input_error("layer-limit",
                       "entry " + quoted_name(name.path()) + ": the layer's files exceed " +
                           std::to_string(options_.limits.max_bytes) + " bytes",
                       E2BIG);
  auto fd = tree_.create_file(name);
  if (!fd) return std::move(fd.error());
  int64_t end = 0;
  for (;;) {
    const void* block;
    size_t length;
    int64_t offset;
    auto more = stream_.data(&block, &length, &offset);
    if (!more) return std::move(more.error());
    if (!*more) break;
    if (offset < end || offset > size || static_cast<int64_t>(length) > size - offset)
      return refuse(name, "has data outside of its size");
    for (size_t done = 0; done < length;) {
      const ssize_t wrote = pwrite(fd->get(), static_cast<const char*>(block) + done, length - done,
                                   offset + static_cast<int64_t>(done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return errno_error("write-file", "entry " + quoted_name(name.path()));
      done += static_cast<size_t>(wrote);
    }
    end = offset + static_cast<int64_t>(length);
  }
  if (end < size && ftruncate(fd->get(), size) != 0)
    return errno_error("write-file", "entry " + quoted_name(name.path()));
  report_.bytes += static_cast<uint64_t>(size);
  return tree_.finish_file(fd->get(), name, metadata);
}

Result<Ok> Extraction::special(archive_entry* entry, const EntryName& name, const Metadata& metadata) {
  const auto type = archive_entry_filetype(entry);
  if (type == AE_IFIFO) return tree_.node(name, S_IFIFO, 0, metadata);
  const dev_t device = makedev(static_cast<unsigned>(archive_entry_rdevmajor(entry)),
                               static_cast<unsigned>(archive_entry_rdevminor(entry)));
  // 0:0 would be a whiteout to overlayfs: layers say that with a name.
  if (options_.devices == DevicePolicy::Skip || device == 0) {
    report_.devices_skipped++;
    return Ok{};
  }
  return tree_.node(name, type == AE_IFCHR ? S_IFCHR : S_IFBLK, device, metadata);
}

Result<Ok> Extraction::link_to(archive_entry* entry, const EntryName& name, const Metadata& metadata) {
  if (const char* raw = archive_entry_hardlink(entry)) {
    auto target = parse_plain_name(raw);
    if (!target || target->kind == NameKind::Root)
      return refuse(name,
                    ("hard link target " + quoted_name(raw) + " is not a name inside of the layer").c_str());
    return tree_.hardlink(name, *target);
  }
  const char* target = archive_entry_symlink(entry);
  if (!target || !*target) return refuse(name, "link without a target");
  return tree_.symlink(name, target, metadata);
}

}  // namespace

Result<LayerReport> extract_layer(int source_fd, std::optional<ByteRange> range, int target_fd,
                                  const LayerOptions& options) {
  return Extraction(source_fd, range, target_fd, options).run();
}

}  // namespace edgepod
