// A harness without libFuzzer, for compilers and test runs that have none: every file of the corpus, then
// mutations of them that are the same in every run. Usage: PROGRAM [-runs=N] [FILE|DIRECTORY]...
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;
constexpr size_t kMaxSize = 70'000;

Input read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(file), {});
}

std::vector<Input> read_corpus(const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> paths;
  for (const std::string& name : names) {
    if (!std::filesystem::is_directory(name)) {
      paths.emplace_back(name);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(name)) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus;
  for (const auto& path : paths) corpus.push_back(read_file(path));
  return corpus;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Input>& corpus) : corpus_(corpus) {}

  Input next() {
    Input input = corpus_.empty() ? Input() : corpus_[below(corpus_.size())];
    for (size_t times = below(6) + 1; times > 0; times--) change(input);
    if (input.size() > kMaxSize) input.resize(kMaxSize);
    return input;
  }

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  auto place(Input& input) { return input.begin() + static_cast<ptrdiff_t>(below(input.size() + 1)); }

  void change(Input& input) {
    switch (below(6)) {
      case 0:
        if (!input.empty()) input[below(input.size())] ^= static_cast<uint8_t>(1u << below(8));
        break;
      case 1:
        if (!input.empty()) input[below(input.size())] = static_cast<uint8_t>(random_());
        break;
      case 2:
        input.insert(place(input), below(16) + 1, static_cast<uint8_t>(random_()));
        break;
      case 3: {
        auto from = place(input);
        input.erase(from, from + static_cast<ptrdiff_t>(below(static_cast<size_t>(input.end() - from)) / 4));
        break;
      }
      case 4:
        repeat(input, input);
        break;
      default:
        if (!corpus_.empty()) repeat(input, corpus_[below(corpus_.size())]);
    }
  }

  // Puts a piece of `source` somewhere into `input`.
  void repeat(Input& input, const Input& source) {
    if (source.empty()) return;
    const size_t from = below(source.size());
    const size_t size = std::min(source.size() - from, below(512) + 1);
    const Input piece(source.begin() + static_cast<ptrdiff_t>(from),
                      source.begin() + static_cast<ptrdiff_t>(from + size));
    input.insert(place(input), piece.begin(), piece.end());
  }

  const std::vector<Input>& corpus_;
  std::mt19937 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  unsigned long runs = 1000;
  std::vector<std::string> names;
  for (int at = 1; at < argc; at++) {
    if (std::strncmp(argv[at], "-runs=", 6) == 0) {
      runs = std::strtoul(argv[at] + 6, nullptr, 10);
    } else {
      names.emplace_back(argv[at]);
    }
  }
  const std::vector<Input> corpus = read_corpus(names);
  for (const Input& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());
  Mutator mutator(corpus);
  for (unsigned long run = 0; run < runs; run++) {
    const Input input = mutator.next();
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu inputs and %lu mutations of them\n", corpus.size(), runs);
}
