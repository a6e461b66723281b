// The conversation of one attempt, without I/O: bytes to send, bytes received, and at some point an answer.
// Everything received is the word of a container that may be hostile; implementations keep bounded state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/probe/target.h"

namespace edgepod {

// Where to ask next: a redirect within the same host.
struct Redirect {
  uint16_t port = 0;
  std::string path;
  std::string authority;  // for the Host header; empty: as before
};

struct ProbeStep {
  std::optional<ProbeAnswer> answer;
  std::optional<Redirect> redirect;

  bool done() const { return answer.has_value() || redirect.has_value(); }
};

inline ProbeStep more() { return {}; }
inline ProbeStep succeeded(std::string message) {
  return {ProbeAnswer{ProbeOutcome::kSuccess, std::move(message)}, {}};
}
inline ProbeStep failed(std::string message) {
  return {ProbeAnswer{ProbeOutcome::kFailure, std::move(message)}, {}};
}

class Exchange {
 public:
  virtual ~Exchange() = default;
  // Not yet sent; `sent` says how much of it went out. May grow with what is received.
  std::string_view pending() const { return std::string_view(output_).substr(sent_); }
  void sent(size_t bytes) { sent_ += bytes; }

  virtual ProbeStep receive(std::string_view bytes) = 0;
  virtual ProbeStep ended() = 0;  // the server closed its side
  // What to say when the time is over.
  virtual const char* waiting_for() const = 0;

 protected:
  std::string output_;

 private:
  size_t sent_ = 0;
};

// Printable ASCII of what a server sent, at most `max` characters.
std::string printable(std::string_view text, size_t max);

}  // namespace edgepod
