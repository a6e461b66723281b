#include "lib/netlink/message.h"

namespace edgepod {

NetlinkMessage::NetlinkMessage(uint16_t type, uint16_t flags) {
  auto* head = reinterpret_cast<nlmsghdr*>(data_);
  head->nlmsg_type = type;
  head->nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST | NLM_F_ACK);
}

void NetlinkMessage::append(const void* data, size_t size) {
  size_t const padded = NLMSG_ALIGN(size);
  if (overflowed_ || padded > sizeof data_ - size_) {
    overflowed_ = true;
    return;
  }
  if (size > 0) memcpy(data_ + size_, data, size);
  size_ += padded;  // the buffer starts zeroed, so padding never carries old memory to the kernel
}

void NetlinkMessage::put(uint16_t type, const void* data, size_t size) {
  if (size > UINT16_MAX - NLA_HDRLEN) {
    overflowed_ = true;
    return;
  }
  nlattr const attribute = {static_cast<uint16_t>(NLA_HDRLEN + size), type};
  append(&attribute, sizeof attribute);
  append(data, size);
}

void NetlinkMessage::put_string(uint16_t type, std::string_view value) {
  char text[256];
  if (value.size() >= sizeof text) {
    overflowed_ = true;
    return;
  }
  memcpy(text, value.data(), value.size());
  text[value.size()] = '\0';
  put(type, text, value.size() + 1);
}

size_t NetlinkMessage::begin(uint16_t type) {
  size_t const mark = size_;
  nlattr const attribute = {0, static_cast<uint16_t>(type | NLA_F_NESTED)};
  append(&attribute, sizeof attribute);
  return mark;
}

void NetlinkMessage::end(size_t mark) {
  if (overflowed_) return;
  reinterpret_cast<nlattr*>(data_ + mark)->nla_len = static_cast<uint16_t>(size_ - mark);
}

nlmsghdr* NetlinkMessage::seal(uint32_t sequence) {
  auto* head = reinterpret_cast<nlmsghdr*>(data_);
  head->nlmsg_len = static_cast<uint32_t>(size_);
  head->nlmsg_seq = sequence;
  return head;
}

std::string_view find_attribute(const nlmsghdr* message, size_t header_size, uint16_t type) {
  size_t const offset = NLMSG_HDRLEN + NLMSG_ALIGN(header_size);
  if (message->nlmsg_len < offset) return {};
  return find_nested({reinterpret_cast<const char*>(message) + offset, message->nlmsg_len - offset}, type);
}

std::string_view find_nested(std::string_view attributes, uint16_t type) {
  size_t offset = 0;
  while (offset + NLA_HDRLEN <= attributes.size()) {
    nlattr attribute;
    memcpy(&attribute, attributes.data() + offset, sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > attributes.size() - offset) return {};
    if ((attribute.nla_type & NLA_TYPE_MASK) == type)
      return attributes.substr(offset + NLA_HDRLEN, static_cast<size_t>(attribute.nla_len - NLA_HDRLEN));
    offset += NLA_ALIGN(attribute.nla_len);
  }
  return {};
}

}  // namespace edgepod
