// SHA-256 (FIPS 180-4) of a seccomp profile, for naming and verifying cached programs. In-house because the
// static runner links no crypto library for this alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "lib/json.h"

namespace edgepod {

using Digest256 = std::array<uint8_t, 32>;

class ProfileHash {
 public:
  void update(const void* data, size_t size);
  Digest256 finish();  // call once

 private:
  void block(const uint8_t* data);

  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t pending_[64] = {};
  uint64_t length_ = 0;
};

// Hash of the value's JSON text (members in their order), without building that text.
void hash_json(ProfileHash& hash, const JsonValue& value);

std::string hex(const Digest256& digest);

}  // namespace edgepod
