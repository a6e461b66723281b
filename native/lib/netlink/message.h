// Builds one rtnetlink request in a fixed buffer. Every append is checked against the buffer; an overflow is
// remembered and refused by NetlinkSocket::request, so that callers need no check per attribute.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace edgepod {

class NetlinkMessage {
 public:
  // NLM_F_REQUEST and NLM_F_ACK are added: every request of ours is answered.
  NetlinkMessage(uint16_t type, uint16_t flags);

  // The family header (ifinfomsg, ifaddrmsg, rtmsg, …); also used inside nested attributes such as
  // VETH_INFO_PEER.
  template <typename T>
  void header(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    append(&value, sizeof value);
  }

  void put(uint16_t type, const void* data, size_t size);
  void put_u8(uint16_t type, uint8_t value) { put(type, &value, sizeof value); }
  void put_u32(uint16_t type, uint32_t value) { put(type, &value, sizeof value); }
  void put_string(uint16_t type, std::string_view value);  // NUL-terminated, as rtnetlink names are

  // Opens a nested attribute; the returned mark closes it.
  size_t begin(uint16_t type);
  void end(size_t mark);

  bool overflowed() const { return overflowed_; }
  nlmsghdr* seal(uint32_t sequence);  // fills in length and sequence

 private:
  void append(const void* data, size_t size);

  alignas(NLMSG_ALIGNTO) unsigned char data_[1024] = {};
  size_t size_ = NLMSG_HDRLEN;
  bool overflowed_ = false;
};

// Reading an answer: both check every length against the message's own, and copy (nothing is aligned for
// certain).

// The family header at the front of the payload; false if the message is too short for it.
template <typename T>
bool payload_of(const nlmsghdr* message, T* out) {
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(T))) return false;
  memcpy(out, reinterpret_cast<const char*>(message) + NLMSG_HDRLEN, sizeof(T));
  return true;
}

// Bytes of the first attribute of this type behind a family header of `header_size`; empty if there is none.
std::string_view find_attribute(const nlmsghdr* message, size_t header_size, uint16_t type);

// The same within the bytes of a nested attribute.
std::string_view find_nested(std::string_view attributes, uint16_t type);

template <typename T>
bool attribute_of(const nlmsghdr* message, size_t header_size, uint16_t type, T* out) {
  std::string_view const bytes = find_attribute(message, header_size, type);
  if (bytes.size() != sizeof(T)) return false;
  memcpy(out, bytes.data(), sizeof(T));
  return true;
}

}  // namespace edgepod
