#include "lib/archive/tar_index.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "lib/archive/entry_name.h"

namespace edgepod {
namespace {

constexpr size_t kMaxEntries = 20'000;
constexpr size_t kBlock = 16 << 10;  // most of the file is skipped

struct Input {
  int fd;
  uint64_t file_size;
  std::vector<char> block = std::vector<char>(kBlock);
};

ssize_t read_block(archive* reader, void* self, const void** data) {
  auto* input = static_cast<Input*>(self);
  ssize_t got;
  do got = read(input->fd, input->block.data(), kBlock);
  while (got < 0 && errno == EINTR);
  if (got < 0) archive_set_error(reader, errno, "read failed");
  *data = input->block.data();
  return got;
}

la_int64_t skip(archive*, void* self, la_int64_t request) {
  const auto* input = static_cast<Input*>(self);
  const off_t from = lseek(input->fd, 0, SEEK_CUR);
  const off_t left = static_cast<off_t>(input->file_size) - from;
  const off_t step = std::min<off_t>(request, left);
  if (from < 0 || step <= 0 || lseek(input->fd, step, SEEK_CUR) < 0)
    return 0;  // libarchive then reads instead
  return step;
}

bool printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<IndexEntry> describe(archive* reader, archive_entry* entry, uint64_t file_size) {
  const char* raw = archive_entry_pathname(entry);
  auto name = parse_plain_name(raw ? raw : "");
  if (!name) return std::move(name.error());
  const auto refuse = [&](const char* why) {
    return input_error("read-index", "entry " + quoted_name(raw) + ": " + why);
  };
  IndexEntry out;
  out.name = name->path();
  out.offset = static_cast<uint64_t>(archive_filter_bytes(reader, 0));
  if (const char* hardlink = archive_entry_hardlink(entry)) {
    out.type = "hardlink";
    out.link = hardlink;
  } else if (archive_entry_filetype(entry) == AE_IFLNK) {
    out.type = "symlink";
    out.link = archive_entry_symlink(entry) ? archive_entry_symlink(entry) : "";
  } else if (archive_entry_filetype(entry) == AE_IFDIR) {
    out.type = "directory";
  } else if (archive_entry_filetype(entry) == AE_IFREG) {
    out.type = "file";
    out.size = static_cast<uint64_t>(archive_entry_size(entry));
    if (archive_entry_sparse_count(entry) > 0) return refuse("is a sparse file");
    if (out.offset > file_size || out.size > file_size - out.offset)
      return refuse("is longer than the file it is in (truncated?)");
  } else {
    return refuse("is neither a file, a directory nor a link");
  }
  if (!printable(out.name) || !printable(out.link)) return refuse("has a name that is not printable ASCII");
  return out;
}

Result<Ok> walk(archive* reader, Input& input, const std::function<void(const IndexEntry&)>& each) {
  for (size_t count = 0;; count++) {
    archive_entry* entry;
    const int status = archive_read_next_header(reader, &entry);
    if (status == ARCHIVE_EOF) return Ok{};
    if (status != ARCHIVE_OK) {
      const char* text = archive_error_string(reader);
      return input_error("read-index", text ? text : "not a tar archive", EBADMSG);
    }
    if (count >= kMaxEntries)
      return input_error("read-index", "more than 20000 entries: not an image archive", E2BIG);
    auto described = describe(reader, entry, input.file_size);
    if (!described) return std::move(described.error());
    each(*described);
  }
}

}  // namespace

Result<Ok> index_tar(int fd, const std::function<void(const IndexEntry&)>& each) {
  struct stat info;
  if (fstat(fd, &info) != 0) return errno_error("read-index");
  if (!S_ISREG(info.st_mode)) return input_error("read-index", "not a regular file");
  Input input{fd, static_cast<uint64_t>(info.st_size)};
  std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(), archive_read_free);
  if (!reader) return Error{"read-index", ENOMEM, "out of memory"};
  archive_read_support_format_tar(reader.get());
  archive_read_set_skip_callback(reader.get(), skip);
  if (archive_read_open(reader.get(), &input, nullptr, read_block, nullptr) != ARCHIVE_OK)
    return input_error("read-index", "not a tar archive", EBADMSG);
  return walk(reader.get(), input, each);
}

}  // namespace edgepod
