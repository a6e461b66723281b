// seqpacket_peer PATH MODE [N]: the other end of the addon's SEQPACKET client
// in tests. Listens, prints "listening", serves one connection:
//   echo      sends every packet back, with the descriptors that came along
//   flood N   sends the packets "0" … "N-1" as fast as they go, then closes
//   late      reads nothing until a line comes on standard input, then prints
//   every packet oversize  sends one packet larger than the protocol allows
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr size_t kBuffer = 1 << 20;
char buffer[kBuffer];

[[noreturn]] void die(const char *what) {
  std::perror(what);
  std::exit(1);
}

int bind_to(const char *path, int type) {
  std::string const full = path;
  size_t const slash = full.rfind('/');
  if (chdir(full.substr(0, slash).c_str()) != 0)
    die("chdir");  // the path may be longer than a socket address
  int const listening = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", full.substr(slash + 1).c_str());
  if (bind(listening, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) die(path);
  if (type == SOCK_SEQPACKET && listen(listening, 1) != 0) die(path);
  std::puts("listening");
  return listening;
}

int accept_one(const char *path) {
  int const connection = accept(bind_to(path, SOCK_SEQPACKET), nullptr, nullptr);
  if (connection < 0) die("accept");
  return connection;
}

void echo(int connection) {
  alignas(cmsghdr) char control[256];
  for (;;) {
    iovec part = {buffer, sizeof buffer};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t const size = recvmsg(connection, &message, 0);
    if (size <= 0) return;
    part.iov_len = static_cast<size_t>(size);
    if (sendmsg(connection, &message, MSG_NOSIGNAL) < 0) die("sendmsg");
    for (cmsghdr *head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
      size_t const count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t at = 0; at < count; ++at) {
        int fd;
        std::memcpy(&fd, CMSG_DATA(head) + at * sizeof fd, sizeof fd);
        close(fd);
      }
    }
  }
}

void print_all(int connection) {
  if (std::fgets(buffer, sizeof buffer, stdin) == nullptr) return;
  for (ssize_t size; (size = recv(connection, buffer, sizeof buffer, 0)) > 0;)
    std::printf("%.*s\n", static_cast<int>(size), buffer);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  setvbuf(stdout, nullptr, _IOLBF, 0);  // the test reads line by line
  std::string const mode = argv[2];
  if (mode == "datagram") {
    ssize_t const size = recv(bind_to(argv[1], SOCK_DGRAM), buffer, sizeof buffer, 0);
    std::printf("%.*s\n", static_cast<int>(size), buffer);
    return 0;
  }
  int const connection = accept_one(argv[1]);
  if (mode == "echo") echo(connection);
  if (mode == "late") print_all(connection);
  if (mode == "oversize") {
    std::memset(buffer, 'x', sizeof buffer);
    if (send(connection, buffer, 65537, MSG_NOSIGNAL) < 0) die("send");
    (void)!recv(connection, buffer, 1, 0);  // until the client has given up
  }
  if (mode == "flood") {
    for (int count = 0; count < std::atoi(argv[3]); ++count) {
      std::string const text = std::to_string(count);
      if (send(connection, text.data(), text.size(), MSG_NOSIGNAL) < 0) die("send");
    }
  }
  return 0;
}
