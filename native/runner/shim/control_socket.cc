#include "runner/shim/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

namespace edgepod {
namespace {

constexpr const char* kName = "shim.sock";
constexpr int kBacklog = 8;

bool trusted(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

bool passing_error(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM;
}

}  // namespace

Result<UniqueFd> listen_control_socket() {
  UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno_error("socket");
  // Relative to the pod's directory: the absolute path may be longer than sun_path.
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "shim.sock"};
  (void)unlink(kName);
  mode_t mask = umask(0177);
  int bound = bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  int error = errno;
  umask(mask);
  errno = error;
  if (bound != 0) return errno_error("socket", "bind shim.sock");
  if (listen(fd.get(), kBacklog) != 0) return errno_error("socket", "listen");
  return fd;
}

UniqueFd accept_control(int listening) {
  while (true) {
    UniqueFd connection(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection && passing_error(errno)) continue;
    if (!connection || trusted(connection.get())) return connection;
  }
}

}  // namespace edgepod
