#include "lib/stats/figures.h"

#include <cstdint>

namespace edgepod {

double parse_number(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  if (text.substr(at).starts_with("max")) return std::numeric_limits<double>::infinity();
  // In whole numbers: in floating point the last digits would depend on whether the processor rounds between
  // multiplication and addition, which x86 and ARM do differently.
  uint64_t value = 0;
  double divisor = 0;  // 0 before the decimal point, then 1, 10, 100, …
  size_t const first = at;
  for (; at < text.size(); ++at) {
    char const symbol = text[at];
    if (symbol == '.' && divisor == 0) {
      divisor = 1;
      continue;
    }
    if (symbol < '0' || symbol > '9') break;
    if (value > (UINT64_MAX - 9) / 10) return std::numeric_limits<double>::infinity();
    value = value * 10 + static_cast<uint64_t>(symbol - '0');
    divisor *= 10;
  }
  if (at == first) return kUnknown;
  return divisor == 0 ? static_cast<double>(value) : static_cast<double>(value) / divisor;
}

double number_after(std::string_view text, std::string_view key) {
  size_t line = 0;
  while (line < text.size()) {
    std::string_view const rest = text.substr(line);
    if (rest.starts_with(key) && rest.size() > key.size()) {
      char const next = rest[key.size()];
      if (next == ' ' || next == '\t') return parse_number(rest.substr(key.size()));
    }
    size_t const end = rest.find('\n');
    if (end == std::string_view::npos) break;
    line += end + 1;
  }
  return kUnknown;
}

double pressure_avg10(std::string_view text, std::string_view kind) {
  size_t const at = text.find(kind);
  if (at == std::string_view::npos) return kUnknown;
  size_t const field = text.find("avg10=", at);
  return field == std::string_view::npos ? kUnknown : parse_number(text.substr(field + 6));
}

}  // namespace edgepod
