// The few interface operations a pod network needs. Addresses are IPv4 in network byte order.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "lib/netlink/socket.h"
#include "lib/result.h"

namespace edgepod {

struct Ipv4Prefix {
  uint32_t address = 0;  // network byte order
  uint8_t length = 0;    // 0…32
};

using MacAddress = std::array<uint8_t, 6>;

// A locally administered MAC made of the IP, so that a new pod on a used address is not hidden behind its
// neighbours' stale ARP entries, and the bridge keeps its own address whatever is plugged into it.
MacAddress mac_for(uint32_t address);

// Parses "10.88.0.5" and "10.88.0.5/24" (length 32 when absent).
Result<Ipv4Prefix> parse_ipv4(const std::string& text);

// Creates the bridge if it is not there, sets it up, and makes `gateway` its only IPv4 address (another one
// is from an earlier configuration). Idempotent. EEXIST if the name is taken by something that is no bridge.
Result<Ok> ensure_bridge(NetlinkSocket& node, const std::string& name, Ipv4Prefix gateway, uint32_t mtu);

// Creates a veth pair: `host_name` plugged into `bridge` and up, its other end born in `netns_fd` as
// `peer_name` with the address' MAC. A leftover link called `host_name` is replaced.
struct VethParams {
  std::string host_name;
  std::string peer_name;
  std::string bridge;
  int netns_fd = -1;
  uint32_t peer_address = 0;
  uint32_t mtu = 0;  // 0: the kernel's default
};
Result<Ok> create_veth(NetlinkSocket& node, const VethParams& params);

// Plugs a link that is there into the bridge again, after the bridge was made anew. ENODEV if either is not
// there.
Result<Ok> plug_link(NetlinkSocket& node, const std::string& name, const std::string& bridge);

// Inside the pod's namespace (`pod` was opened there): address, up, default route.
Result<Ok> configure_link(NetlinkSocket& pod, const std::string& name, Ipv4Prefix address, uint32_t gateway);

// Deletes a link; one that is not there is no error.
Result<Ok> delete_link(NetlinkSocket& node, const std::string& name);

}  // namespace edgepod
