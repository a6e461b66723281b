// rtnetlink messages: what is built, and what is read from answers that are cut
// short or lie about their lengths.
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "lib/netlink/conntrack.h"
#include "lib/netlink/links.h"
#include "lib/netlink/message.h"
#include "lib/netlink/notice.h"

using namespace edgepod;

namespace {

void building() {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE);
  ifinfomsg header = {};
  header.ifi_index = 7;
  message.header(header);
  message.put_string(IFLA_IFNAME, "eth0");
  size_t const info = message.begin(IFLA_LINKINFO);
  message.put_u32(1, 0x01020304);
  message.end(info);
  nlmsghdr *head = message.seal(42);
  CHECK(!message.overflowed());
  CHECK_EQ(head->nlmsg_seq, 42u);
  CHECK_EQ(head->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);

  ifinfomsg read;
  CHECK(payload_of(head, &read));
  CHECK_EQ(read.ifi_index, 7);
  CHECK_EQ(find_attribute(head, sizeof read, IFLA_IFNAME), std::string_view("eth0", 5));
  std::string_view const nested = find_attribute(head, sizeof read, IFLA_LINKINFO);
  CHECK_EQ(nested.size(), size_t{8});
  CHECK(find_attribute(head, sizeof read, IFLA_MTU).empty());
  uint8_t small;
  CHECK(!attribute_of(head, sizeof read, IFLA_IFNAME, &small));  // of another size
}

void overflow() {
  NetlinkMessage message(RTM_NEWLINK, 0);
  for (int count = 0; count < 1000; ++count) message.put_u32(1, 1);
  CHECK(message.overflowed());
  NetlinkMessage name(RTM_NEWLINK, 0);
  name.put_string(IFLA_IFNAME, std::string(300, 'x'));
  CHECK(name.overflowed());
  NetlinkMessage huge(RTM_NEWLINK, 0);
  std::vector<char> const data(70000);
  huge.put(1, data.data(), data.size());
  CHECK(huge.overflowed());
}

// Every prefix of a valid message, and every attribute length, is read without
// leaving the message.
void hostile_answers() {
  NetlinkMessage message(RTM_NEWADDR, 0);
  message.header(ifaddrmsg{});
  message.put_u32(IFA_ADDRESS, 1);
  message.put_u32(IFA_LOCAL, 2);
  nlmsghdr const *head = message.seal(1);
  for (uint32_t length = 0; length <= head->nlmsg_len; ++length) {
    std::vector<nlmsghdr> copy(length / sizeof(nlmsghdr) + 1);
    memcpy(copy.data(), head, std::max<size_t>(length, sizeof(nlmsghdr)));
    copy[0].nlmsg_len = length;
    uint32_t value = 0;
    bool const found = attribute_of(copy.data(), sizeof(ifaddrmsg), IFA_LOCAL, &value);
    CHECK_EQ(found, length == head->nlmsg_len);
    ifaddrmsg address;
    CHECK_EQ(payload_of(copy.data(), &address), length >= NLMSG_LENGTH(sizeof address));
  }
  size_t const first = NLMSG_LENGTH(sizeof(ifaddrmsg));
  for (uint32_t length = 0; length < 64; ++length) {
    std::vector<unsigned char> copy(reinterpret_cast<unsigned char const *>(head),
                                    reinterpret_cast<unsigned char const *>(head) + head->nlmsg_len);
    auto const lie = static_cast<uint16_t>(length);
    memcpy(copy.data() + first, &lie, sizeof lie);
    uint32_t value = 0;
    bool const found =
        attribute_of(reinterpret_cast<nlmsghdr *>(copy.data()), sizeof(ifaddrmsg), IFA_LOCAL, &value);
    if (length < NLA_HDRLEN || length > 16) CHECK(!found);
  }
}

void addresses() {
  auto plain = parse_ipv4("10.88.0.5");
  CHECK(plain && plain->length == 32 && plain->address == htonl(0x0a580005));
  auto prefix = parse_ipv4("10.88.0.1/24");
  CHECK(prefix && prefix->length == 24);
  for (const char *bad : {"", "10.88.0", "10.88.0.256", "10.88.0.1/", "10.88.0.1/33", "10.88.0.1/2x", "::1",
                          "10.88.0.1/024", "10.88.0.1/-1", " 10.88.0.1"})
    CHECK(!parse_ipv4(bad));
  MacAddress const mac = mac_for(htonl(0x0a580005));
  CHECK((mac == MacAddress{0x0a, 0x58, 0x0a, 0x58, 0x00, 0x05}));
}

void notices() {
  NetlinkMessage gone(RTM_DELLINK, 0);
  gone.header(ifinfomsg{});
  gone.put_string(IFLA_IFNAME, "edgepod0");
  Notice notice;
  CHECK(link_notice(gone.seal(0), &notice));
  CHECK(notice.kind == Notice::Kind::kLink);
  CHECK_EQ(notice.name, std::string("edgepod0"));
  CHECK(!table_notice(gone.seal(0), &notice));

  NetlinkMessage unplugged(RTM_DELLINK, 0);  // a bridge port, told by the bridge
  ifinfomsg port = {};
  port.ifi_family = AF_BRIDGE;
  unplugged.header(port);
  unplugged.put_string(IFLA_IFNAME, "veth1");
  CHECK(!link_notice(unplugged.seal(0), &notice));

  NetlinkMessage table(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, 0);
  table.header(nfgenmsg{});
  table.put_string(NFTA_TABLE_NAME, "edgepod");
  CHECK(table_notice(table.seal(0), &notice));
  CHECK(notice.kind == Notice::Kind::kTable);
  CHECK_EQ(notice.name, std::string("edgepod"));

  NetlinkMessage added(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, 0);
  added.header(nfgenmsg{});
  added.put_string(NFTA_TABLE_NAME, "edgepod");
  CHECK(!table_notice(added.seal(0), &notice));
  NetlinkMessage nameless(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE, 0);
  CHECK(!table_notice(nameless.seal(0), &notice));
}

void flows() {
  NetlinkMessage message(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0);
  message.header(nfgenmsg{});
  size_t const original = message.begin(CTA_TUPLE_ORIG);
  size_t const protocol = message.begin(CTA_TUPLE_PROTO);
  message.put_u8(CTA_PROTO_NUM, IPPROTO_UDP);
  uint16_t const port = htons(53);
  message.put(CTA_PROTO_DST_PORT, &port, sizeof port);
  message.end(protocol);
  message.end(original);
  size_t const reply = message.begin(CTA_TUPLE_REPLY);
  size_t const address = message.begin(CTA_TUPLE_IP);
  message.put_u32(CTA_IP_V4_SRC, htonl(0x0a580005));
  message.end(address);
  message.end(reply);
  nlmsghdr *head = message.seal(1);
  Flow flow;
  CHECK(flow_of(head, &flow));
  CHECK_EQ(flow.protocol, IPPROTO_UDP);
  CHECK_EQ(flow.port, 53);
  CHECK_EQ(flow.reply_source, htonl(0x0a580005));
  CHECK(matches(flow, {}));
  CHECK(matches(flow, {IPPROTO_UDP, 53, htonl(0x0a580005)}));
  CHECK(!matches(flow, {IPPROTO_TCP, 53, 0}));
  CHECK(!matches(flow, {IPPROTO_UDP, 54, 0}));
  CHECK(!matches(flow, {0, 0, htonl(0x0a580006)}));
  for (uint32_t length = 0; length <= head->nlmsg_len; ++length) {  // cut anywhere
    std::vector<nlmsghdr> copy(length / sizeof(nlmsghdr) + 1);
    memcpy(copy.data(), head, std::max<size_t>(length, sizeof(nlmsghdr)));
    copy[0].nlmsg_len = length;
    (void)flow_of(copy.data(), &flow);
  }
}

}  // namespace

int main() {
  notices();
  flows();
  building();
  overflow();
  hostile_answers();
  addresses();
  return check_report();
}
