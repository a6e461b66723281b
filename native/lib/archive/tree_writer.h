// Every file-system effect of extracting one layer, below one directory descriptor.
//
// INVARIANTS
// - A path is only ever resolved with the layer's directory as its root; symbolic links of the layer are
// followed
//   for parents (as every unpacker does) but can lead nowhere else, and never for the last component.
// - Whiteouts become what overlayfs understands: a 0:0 character device, and trusted.overlay.opaque=y. No
// other
//   control attribute of overlayfs, and no attribute the host acts on, comes from an archive.
// - chown, then extended attributes, then chmod, then times: chown clears set-id bits and
// security.capability.
#pragma once

#include <sys/stat.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/archive/entry_name.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct Metadata {
  mode_t mode = 0;  // 07777
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};
  std::vector<std::pair<std::string, std::string>> xattrs;
};

class TreeWriter {
 public:
  explicit TreeWriter(int root_fd) : root_(root_fd) {}

  Result<Ok> directory(const EntryName& name, const Metadata& metadata);
  // An empty file, open for writing; hand it back to finish_file with the data in it.
  Result<UniqueFd> create_file(const EntryName& name);
  Result<Ok> finish_file(int fd, const EntryName& name, const Metadata& metadata);
  Result<Ok> symlink(const EntryName& name, const char* target, const Metadata& metadata);
  // `target` must be in the layer already; it is not followed if it is a symbolic link.
  Result<Ok> hardlink(const EntryName& name, const EntryName& target);
  // FIFO or device node; `type` is S_IFIFO, S_IFCHR or S_IFBLK.
  Result<Ok> node(const EntryName& name, mode_t type, dev_t device, const Metadata& metadata);
  Result<Ok> whiteout(const EntryName& name);
  Result<Ok> opaque(const EntryName& name);
  // Directory times, last: creating entries changed them.
  Result<Ok> finish();

  // The layer hides all lower layers. overlayfs always merges the top directories, so whoever stacks the
  // layers has to leave the lower ones out.
  bool opaque_root() const { return opaque_root_; }
  uint64_t xattrs_dropped() const { return xattrs_dropped_; }

 private:
  Result<int> parent_of(const EntryName& name);
  Result<UniqueFd> make_directories(const std::string& path);
  Result<Ok> make_implied_directory(int parent, const std::string& base, const std::string& path);
  Result<Ok> replace(int parent, const EntryName& name);
  Result<Ok> set_opaque(int dir_fd, const std::string& path);
  Result<Ok> set_metadata(int fd, const std::string& path, const Metadata& metadata);
  Result<Ok> set_metadata_at(int parent, const EntryName& name, const Metadata& metadata, bool is_link);
  Result<Ok> set_xattrs(int fd, const char* base, const std::string& path, const Metadata& metadata);

  int root_;
  bool opaque_root_ = false;
  uint64_t xattrs_dropped_ = 0;
  // Archives list a directory's entries one after the other: keep the last parent open.
  std::string cached_path_;
  UniqueFd cached_;
  std::vector<std::pair<EntryName, timespec>> directory_times_;
};

}  // namespace edgepod
