#include "lib/netlink/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <algorithm>
#include <cstring>

namespace edgepod {

namespace {

constexpr uint16_t kGet = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
constexpr uint16_t kNew = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
constexpr uint16_t kDelete = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;

nfgenmsg family_header() {
  nfgenmsg header = {};
  header.nfgen_family = AF_INET;
  header.version = NFNETLINK_V0;
  return header;
}

template <typename T>
bool number_in(std::string_view attributes, uint16_t type, T* out) {
  std::string_view const bytes = find_nested(attributes, type);
  if (bytes.size() != sizeof(T)) return false;
  memcpy(out, bytes.data(), sizeof(T));
  return true;
}

// Enough to find the entry again: the kernel looks it up by its original tuple and compares the id.
struct Doomed {
  std::string original;
  std::string id;
};

}  // namespace

bool flow_of(const nlmsghdr* message, Flow* out) {
  if (message->nlmsg_type != kNew) return false;
  std::string_view const original = find_attribute(message, sizeof(nfgenmsg), CTA_TUPLE_ORIG);
  std::string_view const reply = find_attribute(message, sizeof(nfgenmsg), CTA_TUPLE_REPLY);
  std::string_view const protocol = find_nested(original, CTA_TUPLE_PROTO);
  Flow flow;
  if (!number_in(protocol, CTA_PROTO_NUM, &flow.protocol)) return false;
  uint16_t port = 0;
  number_in(protocol, CTA_PROTO_DST_PORT, &port);  // ICMP has none
  flow.port = ntohs(port);
  number_in(find_nested(reply, CTA_TUPLE_IP), CTA_IP_V4_SRC, &flow.reply_source);
  *out = flow;
  return true;
}

bool matches(const Flow& flow, const FlowMatch& match) {
  return (match.protocol == 0 || match.protocol == flow.protocol) &&
         (match.port == 0 || match.port == flow.port) &&
         (match.reply_source == 0 || match.reply_source == flow.reply_source);
}

Result<Ok> forget_flows(const std::vector<FlowMatch>& wanted) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return socket.error().err == EPROTONOSUPPORT ? Result<Ok>(Ok{}) : socket.error();
  NetlinkMessage list(kGet, 0);
  list.header(family_header());
  std::vector<Doomed> doomed;
  auto listed = socket->dump(list, "conntrack-list", "", [&](const nlmsghdr* message) {
    Flow flow;
    if (!flow_of(message, &flow)) return;
    if (std::none_of(wanted.begin(), wanted.end(), [&](const FlowMatch& m) { return matches(flow, m); }))
      return;
    doomed.push_back({std::string(find_attribute(message, sizeof(nfgenmsg), CTA_TUPLE_ORIG)),
                      std::string(find_attribute(message, sizeof(nfgenmsg), CTA_ID))});
  });
  // EINVAL, EOPNOTSUPP: no ctnetlink in this kernel.
  if (!listed) return listed.error().err == EINVAL || listed.error().err == EOPNOTSUPP ? Ok{} : listed;
  for (const Doomed& entry : doomed) {
    NetlinkMessage message(kDelete, 0);
    message.header(family_header());
    message.put(CTA_TUPLE_ORIG | NLA_F_NESTED, entry.original.data(), entry.original.size());
    if (!entry.id.empty()) message.put(CTA_ID, entry.id.data(), entry.id.size());
    auto deleted = socket->request(message, "conntrack-delete", "");
    if (!deleted && deleted.error().err != ENOENT) return deleted;  // ENOENT: it has ended by itself
  }
  return Ok{};
}

}  // namespace edgepod
