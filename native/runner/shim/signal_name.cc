#include "runner/shim/signal_name.h"

#include <csignal>
#include <cstring>

namespace edgepod {
namespace {

std::optional<int> decimal(std::string_view text) {
  if (text.empty() || text.size() > 3) return std::nullopt;
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int> in_range(int number) {
  if (number < 1 || number > SIGRTMAX) return std::nullopt;
  return number;
}

bool eat(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int> real_time(std::string_view text) {
  bool from_min = eat(text, "RTMIN");
  if (!from_min && !eat(text, "RTMAX")) return std::nullopt;
  int base = from_min ? SIGRTMIN : SIGRTMAX;
  if (text.empty()) return base;
  if (!eat(text, from_min ? "+" : "-")) return std::nullopt;
  auto offset = decimal(text);
  if (!offset) return std::nullopt;
  int number = from_min ? base + *offset : base - *offset;
  if (number < SIGRTMIN) return std::nullopt;
  return in_range(number);
}

}  // namespace

std::optional<int> signal_number(std::string_view name) {
  if (auto number = decimal(name)) return in_range(*number);
  eat(name, "SIG");
  if (name.substr(0, 2) == "RT") return real_time(name);
  for (int number = 1; number < 32; number++) {
    const char* abbreviation = sigabbrev_np(number);
    if (abbreviation != nullptr && name == abbreviation) return number;
  }
  return std::nullopt;
}

}  // namespace edgepod
