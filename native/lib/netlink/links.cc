#include "lib/netlink/links.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace edgepod {

namespace {

ifinfomsg link_header(int index, unsigned flags, unsigned change) {
  ifinfomsg header = {};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = change;
  return header;
}

Result<Ok> set_up(NetlinkSocket& socket, int index, const std::string& name) {
  NetlinkMessage message(RTM_NEWLINK, 0);
  message.header(link_header(index, IFF_UP, IFF_UP));
  return socket.request(message, "link-up", name);
}

Result<Ok> add_address(NetlinkSocket& socket, int index, const std::string& name, Ipv4Prefix address) {
  NetlinkMessage message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = address.length;
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  header.ifa_index = static_cast<uint32_t>(index);
  message.header(header);
  message.put_u32(IFA_LOCAL, address.address);
  message.put_u32(IFA_ADDRESS, address.address);
  uint32_t const host_bits = address.length >= 32 ? 0 : 0xffffffffu >> address.length;
  message.put_u32(IFA_BROADCAST, address.address | htonl(host_bits));
  return socket.request(message, "address-add", name);
}

Result<Ok> delete_address(NetlinkSocket& socket, int index, const std::string& name, Ipv4Prefix address) {
  NetlinkMessage message(RTM_DELADDR, 0);
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = address.length;
  header.ifa_index = static_cast<uint32_t>(index);
  message.header(header);
  message.put_u32(IFA_LOCAL, address.address);
  auto deleted = socket.request(message, "address-delete", name);
  // Gone already: deleting a primary address takes its secondaries with it.
  if (!deleted && deleted.error().err == EADDRNOTAVAIL) return Ok{};
  return deleted;
}

// IPv4 addresses of one interface.
Result<std::vector<Ipv4Prefix>> addresses_of(NetlinkSocket& socket, int index, const std::string& name) {
  NetlinkMessage message(RTM_GETADDR, 0);
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  message.header(header);
  std::vector<Ipv4Prefix> found;
  auto dumped = socket.dump(message, "address-list", name, [&](const nlmsghdr* answer) {
    ifaddrmsg address;
    if (answer->nlmsg_type != RTM_NEWADDR || !payload_of(answer, &address)) return;
    if (address.ifa_index != static_cast<uint32_t>(index)) return;
    uint32_t local;
    if (attribute_of(answer, sizeof address, IFA_LOCAL, &local))
      found.push_back({local, address.ifa_prefixlen});
  });
  if (!dumped) return dumped.error();
  return found;
}

Result<Ok> set_only_address(NetlinkSocket& socket, int index, const std::string& name, Ipv4Prefix wanted) {
  auto present = addresses_of(socket, index, name);
  if (!present) return present.error();
  for (Ipv4Prefix const& address : *present) {
    if (address.address == wanted.address && address.length == wanted.length) continue;
    EDGEPOD_TRY(delete_address(socket, index, name, address));
  }
  return add_address(socket, index, name, wanted);
}

Result<Ok> add_default_route(NetlinkSocket& socket, int index, uint32_t gateway) {
  NetlinkMessage message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  rtmsg header = {};
  header.rtm_family = AF_INET;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  message.header(header);
  message.put_u32(RTA_GATEWAY, gateway);
  message.put_u32(RTA_OIF, static_cast<uint32_t>(index));
  return socket.request(message, "route-add", "default");
}

Result<Ok> create_bridge(NetlinkSocket& node, const std::string& name, Ipv4Prefix gateway, uint32_t mtu) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.header(link_header(0, 0, 0));
  message.put_string(IFLA_IFNAME, name);
  MacAddress const mac = mac_for(gateway.address);
  message.put(IFLA_ADDRESS, mac.data(), mac.size());
  if (mtu > 0) message.put_u32(IFLA_MTU, mtu);
  size_t const info = message.begin(IFLA_LINKINFO);
  message.put_string(IFLA_INFO_KIND, "bridge");
  message.end(info);
  return node.request(message, "bridge-create", name);
}

Result<Ok> request_veth(NetlinkSocket& node, const VethParams& params, int bridge_index) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.header(link_header(0, IFF_UP, IFF_UP));
  message.put_string(IFLA_IFNAME, params.host_name);
  message.put_u32(IFLA_MASTER, static_cast<uint32_t>(bridge_index));
  if (params.mtu > 0) message.put_u32(IFLA_MTU, params.mtu);
  size_t const info = message.begin(IFLA_LINKINFO);
  message.put_string(IFLA_INFO_KIND, "veth");
  size_t const data = message.begin(IFLA_INFO_DATA);
  // The peer is created in the pod's namespace under its final name: it is never visible on the node, where
  // "eth0" would clash and network managers would grab it.
  size_t const peer = message.begin(VETH_INFO_PEER);
  message.header(link_header(0, 0, 0));
  message.put_string(IFLA_IFNAME, params.peer_name);
  message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(params.netns_fd));
  MacAddress const mac = mac_for(params.peer_address);
  message.put(IFLA_ADDRESS, mac.data(), mac.size());
  if (params.mtu > 0) message.put_u32(IFLA_MTU, params.mtu);
  message.end(peer);
  message.end(data);
  message.end(info);
  return node.request(message, "veth-create", params.host_name);
}

}  // namespace

MacAddress mac_for(uint32_t address) {
  uint8_t bytes[4];
  memcpy(bytes, &address, sizeof bytes);
  return {0x0a, 0x58, bytes[0], bytes[1], bytes[2], bytes[3]};
}

Result<Ipv4Prefix> parse_ipv4(const std::string& text) {
  size_t const slash = text.find('/');
  Ipv4Prefix prefix;
  prefix.length = 32;
  in_addr address;
  if (inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1)
    return input_error("network-address", text + ": not an IPv4 address");
  prefix.address = address.s_addr;
  if (slash == std::string::npos) return prefix;
  std::string const length = text.substr(slash + 1);
  if (length.empty() || length.size() > 2 || length.find_first_not_of("0123456789") != std::string::npos)
    return input_error("network-address", text + ": bad prefix length");
  int value = 0;
  for (char digit : length) value = value * 10 + (digit - '0');
  if (value > 32) return input_error("network-address", text + ": bad prefix length");
  prefix.length = static_cast<uint8_t>(value);
  return prefix;
}

Result<Ok> ensure_bridge(NetlinkSocket& node, const std::string& name, Ipv4Prefix gateway, uint32_t mtu) {
  auto created = create_bridge(node, name, gateway, mtu);
  if (!created && created.error().err != EEXIST) return created;
  if (!created && access(("/sys/class/net/" + name + "/bridge").c_str(), F_OK) != 0)
    return input_error("bridge-create", name + ": exists and is not a bridge", EEXIST);
  int const index = node.index_of(name);
  if (index == 0) return input_error("bridge-create", name + ": disappeared", ENODEV);
  EDGEPOD_TRY(set_only_address(node, index, name, gateway));
  return set_up(node, index, name);
}

Result<Ok> create_veth(NetlinkSocket& node, const VethParams& params) {
  int const bridge = node.index_of(params.bridge);
  if (bridge == 0) return input_error("veth-create", params.bridge + ": no such bridge", ENODEV);
  auto created = request_veth(node, params, bridge);
  if (created || created.error().err != EEXIST) return created;
  // Left by a sandbox of the same pod whose end nobody saw: names are unique per pod, so it can only be ours.
  EDGEPOD_TRY(delete_link(node, params.host_name));
  return request_veth(node, params, bridge);
}

Result<Ok> plug_link(NetlinkSocket& node, const std::string& name, const std::string& bridge) {
  int const port = node.index_of(name);
  int const index = node.index_of(bridge);
  if (port == 0 || index == 0)
    return input_error("link-plug", (port == 0 ? name : bridge) + ": no such link", ENODEV);
  NetlinkMessage message(RTM_NEWLINK, 0);
  message.header(link_header(port, IFF_UP, IFF_UP));
  message.put_u32(IFLA_MASTER, static_cast<uint32_t>(index));
  return node.request(message, "link-plug", name);
}

Result<Ok> configure_link(NetlinkSocket& pod, const std::string& name, Ipv4Prefix address, uint32_t gateway) {
  int const index = pod.index_of(name);
  if (index == 0) return input_error("link-configure", name + ": not in the pod's namespace", ENODEV);
  EDGEPOD_TRY(add_address(pod, index, name, address));
  EDGEPOD_TRY(set_up(pod, index, name));
  return add_default_route(pod, index, gateway);
}

Result<Ok> delete_link(NetlinkSocket& node, const std::string& name) {
  NetlinkMessage message(RTM_DELLINK, 0);
  message.header(link_header(0, 0, 0));
  message.put_string(IFLA_IFNAME, name);
  auto deleted = node.request(message, "link-delete", name);
  if (!deleted && deleted.error().err == ENODEV) return Ok{};
  return deleted;
}

}  // namespace edgepod
