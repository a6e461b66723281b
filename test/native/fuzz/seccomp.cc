// Seccomp profiles come from the device's owner and, as text, from the wide world: refused, or a program the
// kernel takes.
#include <linux/filter.h>

#include <cstdint>
#include <cstdlib>

#include "lib/seccomp_compile.h"
#include "lib/seccomp_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgepod;
  auto document = parse_json({reinterpret_cast<const char*>(data), size});
  if (!document) return 0;
  ProfileHash hash;
  hash_json(hash, *document);
  auto program = compile_seccomp(*document);
  if (!program) {
    if (program.error().detail.empty() && program.error().err == 0) std::abort();
    return 0;
  }
  const auto& filter = program->filter;
  if (filter.empty() || filter.size() > BPF_MAXINSNS || BPF_CLASS(filter.back().code) != BPF_RET)
    std::abort();
  return 0;
}
