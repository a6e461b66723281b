#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "lib/probe/target.h"

namespace edgepod {

Result<SocketAddress> numeric_address(const std::string& host, uint16_t port) {
  if (port == 0) return input_error("probe-address", host + ": port 0");
  SocketAddress address;
  sockaddr_in v4 = {};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    memcpy(&address.storage, &v4, sizeof v4);
    address.size = sizeof v4;
    return address;
  }
  sockaddr_in6 v6 = {};
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    memcpy(&address.storage, &v6, sizeof v6);
    address.size = sizeof v6;
    return address;
  }
  return input_error("probe-address", "'" + host.substr(0, 64) + "' is not an IP address");
}

std::string host_and_port(const std::string& host, uint16_t port) {
  bool const v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace edgepod
