// Forgetting what the kernel remembers about connections to a pod or to one of its published ports.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/netlink/socket.h"
#include "lib/result.h"

namespace edgepod {

// What to forget; a zero matches everything.
struct FlowMatch {
  uint8_t protocol = 0;       // IPPROTO_UDP, …
  uint16_t port = 0;          // destination port as the client sees it, host byte order
  uint32_t reply_source = 0;  // who answers (the pod), network byte order
};

// One IPv4 connection, as conntrack lists it.
struct Flow {
  uint8_t protocol = 0;
  uint16_t port = 0;          // host byte order
  uint32_t reply_source = 0;  // network byte order
};

// Reads the parts of a listed connection that are matched; false if the message is not one.
bool flow_of(const nlmsghdr* message, Flow* out);
bool matches(const Flow& flow, const FlowMatch& match);

// Deletes every IPv4 connection that any of `matches` describes. Datagrams have no connection set-up that
// would be translated anew: as long as a client keeps sending, an old entry keeps leading it to where it once
// led. A kernel without connection tracking has nothing to forget.
Result<Ok> forget_flows(const std::vector<FlowMatch>& matches);

}  // namespace edgepod
