// Streaming SHA-256 by nettle, which libarchive brings along on Debian; it uses the SHA instructions of x86
// and ARMv8 where there are any.
#pragma once

#include <nettle/sha2.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace edgepod {

class Sha256 {
 public:
  Sha256() { sha256_init(&context_); }
  void update(const void* data, size_t size) {
    sha256_update(&context_, size, static_cast<const uint8_t*>(data));
  }
  // "sha256:<64 hex digits>". Call once, at the end.
  std::string digest() {
    uint8_t raw[SHA256_DIGEST_SIZE];
    sha256_digest(&context_, sizeof raw, raw);
    std::string text = "sha256:";
    for (const uint8_t byte : raw) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
    return text;
  }

 private:
  sha256_ctx context_;
};

}  // namespace edgepod
