// The agent's connection: packets in, packets and replayed events out. Never blocks and never trusts.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "lib/fd.h"
#include "runner/shim/journal.h"
#include "runner/shim/poller.h"

namespace edgepod {

// Who acts on what a client says.
class ClientHandler {
 public:
  // `fds` are those passed with the packet, at most three.
  virtual void on_packet(std::string_view packet, std::vector<UniqueFd> fds) = 0;
  // The packet could not be taken (too large, too many descriptors).
  virtual void on_bad_packet(const Error& error) = 0;

 protected:
  ~ClientHandler() = default;
};

class Client final : public Watcher {
 public:
  // `buffer` receives packets; it must hold kMaxMessage + 1 bytes.
  Client(Poller& poller, const Journal& journal, ClientHandler& handler, char* buffer)
      : poller_(poller), journal_(journal), handler_(handler), buffer_(buffer) {}
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Serves a new connection in place of the present one, if any.
  void adopt(UniqueFd connection);
  bool connected() const { return static_cast<bool>(fd_); }
  // Counts connections: tells whether the one that asked is still the one that is there.
  uint64_t generation() const { return generation_; }
  void close();

  // Whether to leave further packets unread.
  void hold(bool held) { held_ = held; }
  // Queues a packet. Without a connection it is dropped.
  void send(std::string packet);
  // From now on events are sent, beginning with the oldest that is not acknowledged.
  void begin_events();
  // Writes what the socket takes: answers first, then events not sent yet.
  void flush();

  void on_ready(int fd, uint32_t events) override;

 private:
  enum class Sent { All, Blocked, Broken };
  void receive();
  Sent send_packet(const std::string& packet);
  Sent flush_queue();
  Sent flush_events();
  void watch(bool blocked);

  Poller& poller_;
  const Journal& journal_;
  ClientHandler& handler_;
  char* buffer_;
  UniqueFd fd_;
  uint64_t generation_ = 0;
  std::deque<std::string> queue_;
  size_t queued_bytes_ = 0;
  bool held_ = false;
  bool events_begun_ = false;
  uint64_t sent_seq_ = 0;
  uint32_t watched_ = 0;
};

}  // namespace edgepod
