// Tar archives for tests: any header, honest or not.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "lib/archive/remove_tree.h"
#include "lib/fd.h"

namespace edgepod {

struct TarHeader {
  std::string name;
  char type = '0';
  std::string link = {};
  unsigned mode = 0644;
  long uid = 0;
};

// One entry: header block and padded data.
inline std::string tar_entry(const TarHeader &header, std::string_view data = {}) {
  char block[512] = {};
  std::memcpy(block, header.name.data(), std::min<size_t>(header.name.size(), 100));
  std::snprintf(block + 100, 8, "%07o", header.mode);
  std::snprintf(block + 108, 8, "%07lo", static_cast<unsigned long>(header.uid));
  std::snprintf(block + 116, 8, "%07o", 0);
  std::snprintf(block + 124, 12, "%011zo", data.size());
  std::snprintf(block + 136, 12, "%011o", 0);
  block[156] = header.type;
  std::memcpy(block + 157, header.link.data(), std::min<size_t>(header.link.size(), 100));
  std::memcpy(block + 257, "ustar\00000", 8);
  std::memset(block + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  std::snprintf(block + 148, 8, "%06o", sum);
  std::string out(block, sizeof block);
  out += data;
  return out + std::string((512 - data.size() % 512) % 512, '\0');
}

inline std::string tar_pax(std::string_view key, std::string_view value) {
  const size_t body = key.size() + value.size() + 3;
  size_t length = body + 1;
  while (std::to_string(length).size() + body != length) length = std::to_string(length).size() + body;
  return tar_entry({"PaxHeaders/x", 'x'},
                   std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n");
}

inline std::string tar_end() { return std::string(1024, '\0'); }

// `data` as one gzip member or zstd frame.
inline std::string packed(std::string_view data, bool zstd = false) {
  std::string out(data.size() + 4096, '\0');
  size_t used = 0;
  archive *writer = archive_write_new();
  if (zstd) {
    archive_write_add_filter_zstd(writer);
  } else {
    archive_write_add_filter_gzip(writer);
  }
  archive_write_set_format_raw(writer);
  archive_write_set_bytes_in_last_block(writer, 1);
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  archive_entry *entry = archive_entry_new();
  archive_entry_set_pathname(entry, "data");
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(writer, entry);
  archive_write_data(writer, data.data(), data.size());
  archive_entry_free(entry);
  archive_write_close(writer);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

// `data` as a file, at its start.
inline UniqueFd file_of(std::string_view data) {
  UniqueFd fd(memfd_create("test", MFD_CLOEXEC));
  if (pwrite(fd.get(), data.data(), data.size(), 0) != static_cast<ssize_t>(data.size())) abort();
  return fd;
}

// A directory that goes away with the object.
class ScratchDir {
 public:
  explicit ScratchDir(const char *parent = "/tmp")
      : parent_(open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        path_(std::string(parent) + "/edgepod-test-XXXXXX") {
    if (!mkdtemp(path_.data())) abort();
    fd_.reset(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~ScratchDir() { (void)remove_tree(parent_.get(), path_.c_str() + path_.rfind('/') + 1); }
  int fd() const { return fd_.get(); }
  std::string path(const std::string &name) const { return path_ + "/" + name; }

 private:
  UniqueFd parent_;
  std::string path_;
  UniqueFd fd_;
};

}  // namespace edgepod
