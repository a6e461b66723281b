#include "lib/netlink/socket.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <vector>

namespace edgepod {

namespace {

// The kernel's words on why it refused (NETLINK_EXT_ACK), or nothing. With NETLINK_CAP_ACK the attributes
// follow the echoed header directly.
std::string explanation(const nlmsghdr* head) {
  if (!(head->nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  std::string_view const text = find_attribute(head, sizeof(nlmsgerr), NLMSGERR_ATTR_MSG);
  return std::string(text.substr(0, text.find('\0')));
}

// Dumps answer with up to this much at a time (NLMSG_GOODSIZE, and 32 KiB for newer kernels).
constexpr size_t kReplySize = 32768;

}  // namespace

Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return errno_error("netlink-open", "protocol " + std::to_string(protocol));
  int const on = 1;
  // Both are niceties (better messages, shorter answers): an old kernel without them still works.
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // Requests wait for the kernel's global network lock; never for ever.
  timeval const patience = {5, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return NetlinkSocket(std::move(fd));
}

Result<Ok> NetlinkSocket::request(NetlinkMessage& message, const char* step, const std::string& detail) {
  return exchange(message, 0, step, detail, [](const nlmsghdr*) {});
}

Result<Ok> NetlinkSocket::dump(NetlinkMessage& message, const char* step, const std::string& detail,
                               const std::function<void(const nlmsghdr*)>& each) {
  return exchange(message, NLM_F_DUMP, step, detail, each);
}

Result<Ok> NetlinkSocket::exchange(NetlinkMessage& message, uint16_t flags, const char* step,
                                   const std::string& detail,
                                   const std::function<void(const nlmsghdr*)>& each) {
  if (message.overflowed()) return input_error(step, detail + ": request too long", EMSGSIZE);
  nlmsghdr* head = message.seal(++sequence_);
  head->nlmsg_flags |= flags;
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  if (sendto(fd_.get(), head, head->nlmsg_len, 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) < 0)
    return errno_error(step, detail);

  std::vector<nlmsghdr> reply(kReplySize / sizeof(nlmsghdr));  // aligned, and off a task's small stack
  for (;;) {
    sockaddr_nl from = {};
    socklen_t from_size = sizeof from;
    ssize_t const size =
        recvfrom(fd_.get(), reply.data(), kReplySize, 0, reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) {
      if (errno == EINTR) continue;
      return errno_error(step, detail + (errno == EAGAIN ? ": the kernel did not answer" : ""));
    }
    if (from.nl_pid != 0)
      continue;  // only the kernel is believed: any local process may send to a netlink port
    auto left = static_cast<unsigned>(size);
    for (const nlmsghdr* answer = reply.data(); NLMSG_OK(answer, left); answer = NLMSG_NEXT(answer, left)) {
      if (answer->nlmsg_seq != sequence_) continue;
      if (answer->nlmsg_type == NLMSG_DONE) return Ok{};
      if (answer->nlmsg_type != NLMSG_ERROR) {
        each(answer);
        continue;
      }
      nlmsgerr verdict;
      if (!payload_of(answer, &verdict)) continue;
      if (verdict.error == 0) return Ok{};
      std::string const words = explanation(answer);
      return Error{step, -verdict.error, words.empty() ? detail : detail + ": " + words};
    }
  }
}

int NetlinkSocket::index_of(const std::string& name) const {
  ifreq request = {};
  if (name.size() >= sizeof request.ifr_name) return 0;
  std::copy(name.begin(), name.end(), request.ifr_name);
  // Interface ioctls work on any socket, and this one is known to be in the right namespace.
  return ioctl(fd_.get(), SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

}  // namespace edgepod
