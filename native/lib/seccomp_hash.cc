#include "lib/seccomp_hash.h"

#include <bit>
#include <cstring>

namespace edgepod {

namespace {

constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// A RapidJSON output stream that hashes in chunks instead of storing.
class HashStream {
 public:
  using Ch = char;
  explicit HashStream(ProfileHash& hash) : hash_(hash) {}
  void Put(char c) {
    buffer_[used_++] = c;
    if (used_ == sizeof buffer_) Flush();
  }
  void Flush() {
    hash_.update(buffer_, used_);
    used_ = 0;
  }

 private:
  ProfileHash& hash_;
  char buffer_[512];
  size_t used_ = 0;
};

}  // namespace

void ProfileHash::block(const uint8_t* data) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i) {
    w[i] = uint32_t{data[4 * i]} << 24 | uint32_t{data[4 * i + 1]} << 16 | uint32_t{data[4 * i + 2]} << 8 |
           data[4 * i + 3];
  }
  for (int i = 16; i < 64; ++i) {
    uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  // The eight working variables stay where they are and change roles by index: moving them, as the standard
  // writes it, made this the slowest part of a cached start.
  uint32_t v[8];
  memcpy(v, state_, sizeof v);
  for (unsigned i = 0; i < 64; ++i) {
    auto at = [&](unsigned role) -> uint32_t& { return v[(role - i) & 7]; };
    const uint32_t a = at(0), e = at(4);
    uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    uint32_t choice = (e & at(5)) ^ (~e & at(6));
    uint32_t t1 = at(7) + s1 + choice + kRound[i] + w[i];
    uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    uint32_t majority = (a & at(1)) ^ (a & at(2)) ^ (at(1) & at(2));
    at(3) += t1;
    at(7) = t1 + s0 + majority;
  }
  for (int i = 0; i < 8; ++i) state_[i] += v[i];
}

void ProfileHash::update(const void* data, size_t size) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  while (size > 0) {
    size_t used = length_ % 64;
    size_t take = size < 64 - used ? size : 64 - used;
    memcpy(pending_ + used, bytes, take);
    length_ += take;
    bytes += take;
    size -= take;
    if (length_ % 64 == 0) block(pending_);
  }
}

Digest256 ProfileHash::finish() {
  uint64_t bits = length_ * 8;
  const uint8_t one = 0x80, zero = 0;
  update(&one, 1);
  while (length_ % 64 != 56) update(&zero, 1);
  uint8_t tail[8];
  for (int i = 0; i < 8; ++i) tail[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  update(tail, sizeof tail);
  Digest256 out;
  for (size_t i = 0; i < 32; ++i) out[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

void hash_json(ProfileHash& hash, const JsonValue& value) {
  HashStream stream(hash);
  rapidjson::Writer<HashStream> writer(stream);
  value.Accept(writer);
  stream.Flush();
}

std::string hex(const Digest256& digest) {
  std::string out;
  for (uint8_t byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

}  // namespace edgepod
