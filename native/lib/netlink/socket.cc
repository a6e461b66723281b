#include "lib/netlink/socket.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>

namespace edgepod {

namespace {

// The kernel's words on why it refused (NETLINK_EXT_ACK), or nothing. With NETLINK_CAP_ACK the attributes
// follow the echoed header directly.
std::string explanation(const nlmsghdr* head) {
  size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nlmsgerr));
  if (!(head->nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  const auto* bytes = reinterpret_cast<const char*>(head);
  while (offset + NLA_HDRLEN <= head->nlmsg_len) {
    nlattr attribute;
    memcpy(&attribute, bytes + offset, sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > head->nlmsg_len - offset) return {};
    if (attribute.nla_type == NLMSGERR_ATTR_MSG) {
      const char* text = bytes + offset + NLA_HDRLEN;
      return std::string(text, strnlen(text, attribute.nla_len - NLA_HDRLEN));
    }
    offset += NLA_ALIGN(attribute.nla_len);
  }
  return {};
}

}  // namespace

Result<NetlinkSocket> NetlinkSocket::open() {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return errno_error("netlink-open", "NETLINK_ROUTE");
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
  if (message.overflowed()) return input_error(step, detail + ": request too long", EMSGSIZE);
  nlmsghdr* head = message.seal(++sequence_);
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  if (sendto(fd_.get(), head, head->nlmsg_len, 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) < 0)
    return errno_error(step, detail);

  alignas(NLMSG_ALIGNTO) char reply[4096];
  for (;;) {
    sockaddr_nl from = {};
    socklen_t from_size = sizeof from;
    ssize_t size =
        recvfrom(fd_.get(), reply, sizeof reply, 0, reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) {
      if (errno == EINTR) continue;
      return errno_error(step, detail + (errno == EAGAIN ? ": the kernel did not answer" : ""));
    }
    if (from.nl_pid != 0)
      continue;  // only the kernel is believed: any local process may send to a netlink port
    auto* answer = reinterpret_cast<nlmsghdr*>(reply);
    if (!NLMSG_OK(answer, static_cast<unsigned>(size)) || answer->nlmsg_seq != sequence_) continue;
    if (answer->nlmsg_type != NLMSG_ERROR || answer->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) continue;
    int const error = -static_cast<nlmsgerr*>(NLMSG_DATA(answer))->error;
    if (error == 0) return Ok{};
    std::string const words = explanation(answer);
    return Error{step, error, words.empty() ? detail : detail + ": " + words};
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
