#include "lib/netlink/notice.h"

#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "lib/netlink/message.h"

namespace edgepod {

namespace {

Result<UniqueFd> subscribe(int protocol, int group) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd) return errno_error("netlink-watch", protocol == NETLINK_ROUTE ? "links" : "nftables");
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    return errno_error("netlink-watch", protocol == NETLINK_ROUTE ? "links" : "nftables");
  return fd;
}

std::string text_of(std::string_view bytes) { return std::string(bytes.substr(0, bytes.find('\0'))); }

}  // namespace

Result<UniqueFd> watch_links() { return subscribe(NETLINK_ROUTE, RTNLGRP_LINK); }
Result<UniqueFd> watch_tables() { return subscribe(NETLINK_NETFILTER, NFNLGRP_NFTABLES); }

bool link_notice(const nlmsghdr* message, Notice* out) {
  if (message->nlmsg_type != RTM_DELLINK) return false;
  ifinfomsg link;
  // A bridge port that is unplugged is told as RTM_DELLINK of family AF_BRIDGE: the link itself is still
  // there.
  if (!payload_of(message, &link) || link.ifi_family != AF_UNSPEC) return false;
  out->kind = Notice::Kind::kLink;
  out->name = text_of(find_attribute(message, sizeof link, IFLA_IFNAME));
  return !out->name.empty();
}

bool table_notice(const nlmsghdr* message, Notice* out) {
  switch (message->nlmsg_type) {
    case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE:
    case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELCHAIN:
    case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE:
      break;
    default:
      return false;
  }
  // The table's name is the first attribute of all three.
  static_assert(int{NFTA_TABLE_NAME} == int{NFTA_CHAIN_TABLE} &&
                int{NFTA_TABLE_NAME} == int{NFTA_RULE_TABLE});
  nfgenmsg header;
  if (!payload_of(message, &header)) return false;
  out->kind = Notice::Kind::kTable;
  out->name = text_of(find_attribute(message, sizeof header, NFTA_TABLE_NAME));
  return !out->name.empty();
}

}  // namespace edgepod
