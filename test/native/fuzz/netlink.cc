// Answers and notices of netlink sockets: lengths inside of lengths. Only the kernel is believed, but what it
// tells of, other people have named.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "lib/netlink/conntrack.h"
#include "lib/netlink/message.h"
#include "lib/netlink/notice.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgepod;
  if (size < sizeof(nlmsghdr)) return 0;
  // A buffer of exactly that size, aligned, as the socket's.
  std::vector<nlmsghdr> buffer((size + sizeof(nlmsghdr) - 1) / sizeof(nlmsghdr));
  std::memcpy(buffer.data(), data, size);
  nlmsghdr* message = buffer.data();
  message->nlmsg_len = static_cast<uint32_t>(size);
  Notice notice;
  (void)link_notice(message, &notice);
  (void)table_notice(message, &notice);
  Flow flow;
  (void)flow_of(message, &flow);
  for (uint16_t type = 0; type < 64; type++) {
    (void)find_attribute(message, sizeof(ifinfomsg), type);
    (void)find_nested({reinterpret_cast<const char*>(data), size}, type);
  }
  return 0;
}
