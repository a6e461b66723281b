// A blocking netlink socket (rtnetlink unless another protocol is asked for). It belongs to the network
// namespace the calling thread was in when it was opened.
#pragma once

#include <functional>
#include <string>

#include "lib/fd.h"
#include "lib/netlink/message.h"
#include "lib/result.h"

namespace edgepod {

class NetlinkSocket {
 public:
  static Result<NetlinkSocket> open(int protocol = NETLINK_ROUTE);

  // Sends one request and waits for the kernel's answer, at most five seconds. The kernel's own explanation
  // (extended ack), where it gives one, is appended to `detail`.
  Result<Ok> request(NetlinkMessage& message, const char* step, const std::string& detail);

  // Asks for a list; `each` sees every entry.
  Result<Ok> dump(NetlinkMessage& message, const char* step, const std::string& detail,
                  const std::function<void(const nlmsghdr*)>& each);

  // Index of an interface of the socket's namespace, 0 if there is none of that name.
  int index_of(const std::string& name) const;

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<Ok> exchange(NetlinkMessage& message, uint16_t flags, const char* step, const std::string& detail,
                      const std::function<void(const nlmsghdr*)>& each);

  UniqueFd fd_;
  uint32_t sequence_ = 0;
};

}  // namespace edgepod
