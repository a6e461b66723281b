#include "lib/seccomp_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>

#include "lib/seccomp_compile.h"
#include "lib/sys.h"

namespace edgepod {

namespace {

constexpr char kMagic[8] = {'e', 'd', 'g', 'e', 'b', 'p', 'f', '1'};

struct Header {
  char magic[8];
  uint32_t count;  // of sock_filter that follow
  uint32_t flags;
  uint32_t unknown_names;
  uint32_t reserved;
  Digest256 key;
  Digest256 checksum;  // of the instructions
};

Digest256 checksum_of(const std::vector<sock_filter>& filter) {
  ProfileHash hash;
  hash.update(filter.data(), filter.size() * sizeof(sock_filter));
  return hash.finish();
}

bool owned_and_private(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_uid == geteuid() && (info.st_mode & 022) == 0;
}

}  // namespace

Digest256 seccomp_cache_key(const JsonValue& profile) {
  ProfileHash hash;
  utsname system{};
  uname(&system);
  std::string context = libseccomp_version() + " " + system.machine + " ";
  hash.update(kMagic, sizeof kMagic);
  hash.update(context.data(), context.size());
  hash_json(hash, profile);
  return hash.finish();
}

SeccompCache::SeccompCache(const char* directory) {
  if (!directory) return;
  mkdir(directory, 0700);
  directory_.reset(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  // Whoever can write here decides what containers may do.
  if (directory_ && !owned_and_private(directory_.get())) directory_.reset();
}

std::optional<SeccompProgram> SeccompCache::load(const Digest256& key) const {
  if (!directory_) return {};
  std::string name = hex(key) + ".bpf";
  UniqueFd file(openat(directory_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info;
  if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || !owned_and_private(file.get()))
    return {};

  Header header;
  if (read(file.get(), &header, sizeof header) != static_cast<ssize_t>(sizeof header)) return {};
  if (memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.key != key) return {};
  if (header.count == 0 || header.count > BPF_MAXINSNS) return {};
  size_t bytes = header.count * sizeof(sock_filter);
  if (info.st_size != static_cast<off_t>(sizeof header + bytes)) return {};

  SeccompProgram program;
  program.filter.resize(header.count);
  if (read(file.get(), program.filter.data(), bytes) != static_cast<ssize_t>(bytes)) return {};
  if (checksum_of(program.filter) != header.checksum) return {};
  program.flags = header.flags;
  program.unknown_names = header.unknown_names;
  program.cached = true;
  return program;
}

void SeccompCache::store(const Digest256& key, const SeccompProgram& program) const {
  if (!directory_) return;
  Header header{};
  memcpy(header.magic, kMagic, sizeof kMagic);
  header.count = static_cast<uint32_t>(program.filter.size());
  header.flags = program.flags;
  header.unknown_names = program.unknown_names;
  header.key = key;
  header.checksum = checksum_of(program.filter);

  std::string name = hex(key) + ".bpf";
  std::string temporary = "." + name + "." + std::to_string(getpid());
  unlinkat(directory_.get(), temporary.c_str(), 0);
  UniqueFd file(openat(directory_.get(), temporary.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return;
  // No fsync: the directory is on tmpfs, and a torn file would not verify.
  constexpr const char* kStep = "seccomp-cache";
  const size_t bytes = program.filter.size() * sizeof(sock_filter);
  bool good = write_all(file.get(), &header, sizeof header, kStep) &&
              write_all(file.get(), program.filter.data(), bytes, kStep) &&
              renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) == 0;
  if (!good) unlinkat(directory_.get(), temporary.c_str(), 0);
}

}  // namespace edgepod
