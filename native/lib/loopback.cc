#include "lib/loopback.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "lib/fd.h"

namespace edgepod {

Result<Ok> bring_loopback_up() {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request = {};
  memcpy(request.ifr_name, "lo", 3);
  if (!fd || ioctl(fd.get(), SIOCGIFFLAGS, &request) < 0) return errno_error("loopback");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(fd.get(), SIOCSIFFLAGS, &request) < 0) return errno_error("loopback");
  return Ok{};
}

}  // namespace edgepod
