// What a container prints, in reads of any size, into files of any limit: the log gives every byte back, in
// order, in whole lines, and no file is longer than it may be. The first byte sets the limit; then a byte
// says stream and size of each read.
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "../tar_builder.h"
#include "lib/log/cri_log.h"

using namespace edgepod;

namespace {

constexpr timespec kNow = {1'700'000'000, 123};
constexpr std::string_view kTime = "2023-11-14T22:13:20.000000123Z ";

void expect(bool condition) {
  if (!condition) std::abort();
}

// Adds the text of a log file to what each stream has said.
void read_back(const std::filesystem::path& path, std::string said[2]) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    expect(end != text.npos);
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    expect(line.starts_with(kTime));
    line.remove_prefix(kTime.size());
    expect(line.size() >= 9 && (line.starts_with("stdout ") || line.starts_with("stderr ")) &&
           line[8] == ' ');
    const bool full = line[7] == 'F';
    expect(full || line[7] == 'P');
    std::string& out = said[line.starts_with("stderr ")];
    out += line.substr(9);
    if (full) out += '\n';
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ScratchDir base("/dev/shm");
  const std::string path = base.path("pod/c/0.log");
  const uint64_t limit = data[0] == 0 ? 0 : data[0] * 2000u;
  auto log = CriLog::open(path, {limit, 100'000});
  expect(static_cast<bool>(log));
  std::string printed[2];
  for (size_t at = 1; at < size;) {
    const int stream = data[at] & 1;
    const size_t length = std::min<size_t>(size - at - 1, (data[at] >> 1) * 128);
    const char* chunk = reinterpret_cast<const char*>(data) + at + 1;
    log->write(static_cast<LogStream>(stream), chunk, length, kNow);
    printed[stream].append(chunk, length);
    at += length + 1;
  }
  for (const LogStream stream : {LogStream::Stdout, LogStream::Stderr}) log->finish(stream, kNow);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(base.path("pod/c")))
    files.push_back(entry.path());
  // Rotated files sort by age; the one without a date is the newest.
  std::sort(files.begin(), files.end(), [&](const auto& a, const auto& b) {
    return (a != path && b == path) || ((a == path) == (b == path) && a < b);
  });
  std::string said[2];
  for (const auto& file : files) {
    // A file takes its first line whatever its length.
    expect(limit == 0 || std::filesystem::file_size(file) <= std::max<uint64_t>(limit, kMaxLogLine + 64));
    read_back(file, said);
  }
  expect(said[0] == printed[0] && said[1] == printed[1]);
  return 0;
}
