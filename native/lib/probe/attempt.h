// One attempt: connections to one address, redirects included, until there is an answer. Never blocks.
#pragma once

#include <memory>
#include <optional>

#include "lib/fd.h"
#include "lib/probe/exchange.h"

namespace edgepod {

class Attempt {
 public:
  explicit Attempt(const ProbeTarget& target) : target_(target) {}

  // Connects. An answer at once is possible (nobody listens).
  std::optional<ProbeAnswer> start();
  // The socket became ready.
  std::optional<ProbeAnswer> advance(bool readable);
  // The time is over.
  ProbeAnswer timed_out() const;

  int fd() const { return socket_.get(); }
  bool wants_to_write() const;
  // Changes whenever fd() has become another socket.
  uint32_t connection() const { return connections_; }

 private:
  std::optional<ProbeAnswer> connect_to(uint16_t port);
  std::optional<ProbeAnswer> send();
  std::optional<ProbeAnswer> receive();
  std::optional<ProbeAnswer> take(ProbeStep step);
  ProbeAnswer broken(int error) const;
  std::string opening() const;

  ProbeTarget target_;  // where it is now: redirects change port and path
  std::string authority_;
  UniqueFd socket_;
  std::unique_ptr<Exchange> exchange_;  // none for TCP: being connected is the answer
  bool connected_ = false;
  int redirects_ = 0;
  uint32_t connections_ = 0;
};

}  // namespace edgepod
