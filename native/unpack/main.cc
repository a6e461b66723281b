// edgepod-unpack: the only part of edgepod that looks into archives. A short-lived process per archive,
// confined before it reads the first byte; its peak memory goes with it.
//
//   layer  --target DIR [--file F [--offset N --size N]] [--max-bytes N] [--max-entries N] [--devices
//   skip|create]
//          [--digest sha256:…] [--diff-id sha256:…]      extracts a layer (stdin without --file)
//   index  FILE                                          lists an uncompressed archive, a JSON object a line
//   plain  FILE --max-bytes N                            writes FILE uncompressed to stdout
//   remove --dir DIR NAME...                             removes trees in DIR
//   lock   FILE                                          takes an exclusive lock, says {"locked":true}, holds
//   it
//                                                        until stdin ends
//
// Every command answers with JSON on stdout (`plain` on stderr) and exits 0, or with
// {"error":{step,errno,detail}} and exits 1; usage errors exit 2.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/archive/extract.h"
#include "lib/archive/remove_tree.h"
#include "lib/archive/tar_index.h"
#include "lib/json.h"
#include "lib/sys.h"
#include "unpack/arguments.h"
#include "unpack/confine.h"

namespace edgepod {
namespace {

void print_line(int fd, const rapidjson::StringBuffer& json) {
  std::string line(json.GetString(), json.GetSize());
  line += '\n';
  (void)write_all(fd, line.data(), line.size(), "report");  // nobody left to tell
}

int fail(const Error& error, int fd = STDOUT_FILENO) {
  rapidjson::StringBuffer json;
  JsonWriter writer(json);
  writer.StartObject();
  writer.Key("error");
  writer.StartObject();
  writer.Key("step");
  writer.String(error.step);
  writer.Key("errno");
  writer.Int(error.err);
  writer.Key("detail");
  writer.String(error.detail.data(), static_cast<rapidjson::SizeType>(error.detail.size()));
  writer.EndObject();
  writer.EndObject();
  print_line(fd, json);
  return 1;
}

Result<UniqueFd> open_input(const std::string& path) {
  if (path.empty()) return UniqueFd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a FIFO must not hold us up
  if (!fd) return errno_error("open-file", path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return errno_error("open-file", path);
  if (!S_ISREG(info.st_mode)) return input_error("open-file", path + " is not a regular file");
  return fd;
}

int report(const LayerReport& layer) {
  rapidjson::StringBuffer json;
  JsonWriter writer(json);
  writer.StartObject();
  const auto text = [&](const char* key, const std::string& value) {
    writer.Key(key);
    writer.String(value.c_str());
  };
  const auto number = [&](const char* key, uint64_t value) {
    writer.Key(key);
    writer.Uint64(value);
  };
  text("digest", layer.blob_digest);
  text("diffId", layer.diff_id);
  number("blobBytes", layer.blob_bytes);
  number("bytes", layer.bytes);
  number("entries", layer.entries);
  number("devicesSkipped", layer.devices_skipped);
  number("xattrsDropped", layer.xattrs_dropped);
  writer.Key("opaqueRoot");
  writer.Bool(layer.opaque_root);
  writer.EndObject();
  print_line(STDOUT_FILENO, json);
  return 0;
}

int run_layer(const Arguments& arguments) {
  auto input = open_input(arguments.file);
  if (!input) return fail(input.error());
  auto target = confine_to(arguments.target.c_str(), arguments.layer.limits.max_bytes);
  if (!target) return fail(target.error());
  auto layer = extract_layer(input->get(), arguments.range, target->get(), arguments.layer);
  return layer ? report(*layer) : fail(layer.error());
}

int run_index(const Arguments& arguments) {
  auto input = open_input(arguments.file);
  if (!input) return fail(input.error());
  if (auto confined = confine_readonly(); !confined) return fail(confined.error());
  auto done = index_tar(input->get(), [](const IndexEntry& entry) {
    rapidjson::StringBuffer json;
    JsonWriter writer(json);
    writer.StartObject();
    writer.Key("name");
    writer.String(entry.name.c_str());
    writer.Key("type");
    writer.String(entry.type);
    writer.Key("offset");
    writer.Uint64(entry.offset);
    writer.Key("size");
    writer.Uint64(entry.size);
    if (!entry.link.empty()) {
      writer.Key("link");
      writer.String(entry.link.c_str());
    }
    writer.EndObject();
    print_line(STDOUT_FILENO, json);
  });
  return done ? 0 : fail(done.error());
}

Result<Ok> write_plain(int input, const DecompressLimits& limits) {
  Decompressor plain(input, std::nullopt, limits);
  EDGEPOD_TRY(plain.open());
  for (;;) {
    auto block = plain.next();
    if (!block) return std::move(block.error());
    if (block->empty()) return Ok{};
    EDGEPOD_TRY(write_all(STDOUT_FILENO, block->data(), block->size(), "write-plain"));
  }
}

int run_plain(const Arguments& arguments) {
  auto input = open_input(arguments.file);
  if (!input) return fail(input.error(), STDERR_FILENO);
  if (auto confined = confine_readonly(); !confined) return fail(confined.error(), STDERR_FILENO);
  auto done = write_plain(input->get(), arguments.layer.limits);
  return done ? 0 : fail(done.error(), STDERR_FILENO);
}

int run_remove(const Arguments& arguments) {
  auto dir = confine_to(arguments.target.c_str(), 0);
  if (!dir) return fail(dir.error());
  for (const std::string& name : arguments.names)
    if (auto removed = remove_tree(dir->get(), name.c_str()); !removed) return fail(removed.error());
  return 0;
}

// Held by a process because Node has no flock: the kernel lets go of it however the loader ends.
int run_lock(const Arguments& arguments) {
  UniqueFd fd(open(arguments.file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail(errno_error("lock", arguments.file));
  while (flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) return fail(errno_error("lock", arguments.file));
  constexpr char kLocked[] = "{\"locked\":true}\n";
  (void)write_all(STDOUT_FILENO, kLocked, sizeof kLocked - 1, "report");
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

int run(int argc, char** argv) {
  auto arguments = parse_arguments(argc, argv);
  if (!arguments) {
    std::fprintf(stderr, "edgepod-unpack: %s\n", arguments.error().detail.c_str());
    return 2;
  }
  // Everything but the three standard descriptors is somebody else's.
  if (auto closed = close_from(3); !closed) return fail(closed.error());
  if (auto bound = die_with_parent(); !bound) return fail(bound.error());
  switch (arguments->command) {
    case Command::Layer:
      return run_layer(*arguments);
    case Command::Index:
      return run_index(*arguments);
    case Command::Plain:
      return run_plain(*arguments);
    case Command::Remove:
      return run_remove(*arguments);
    case Command::Lock:
      return run_lock(*arguments);
  }
  return 2;
}

}  // namespace
}  // namespace edgepod

int main(int argc, char** argv) { return edgepod::run(argc, argv); }
