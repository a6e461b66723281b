// Base64 (RFC 4648, padded) for captured output.
#pragma once

#include <string>
#include <string_view>

namespace edgepod {

inline std::string base64(std::string_view data) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (size_t at = 0; at < data.size(); at += 3) {
    size_t have = data.size() - at;
    auto byte = [&](size_t i) { return i < have ? static_cast<unsigned char>(data[at + i]) : 0u; };
    unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kDigits[group >> 18];
    out += kDigits[group >> 12 & 63];
    out += have > 1 ? kDigits[group >> 6 & 63] : '=';
    out += have > 2 ? kDigits[group & 63] : '=';
  }
  return out;
}

}  // namespace edgepod
