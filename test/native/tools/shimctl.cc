// shimctl SOCKET: a client of the shim's protocol for tests, driven by lines on standard input.
//   {"id":1,…}              sent as one packet
//   !fds IN OUT ERR {json}  the same, with the three files opened and passed
//   !size N                 a packet of N bytes that is no JSON
//   !hex 00ff…              a packet of these bytes
//   !deaf / !hear           stops and resumes reading from the shim
// Every packet received is printed as one line; when the shim closes the connection, "closed", and exit 0.
// At the end of standard input it waits for the shim to close, unless killed.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace {

constexpr size_t kMaxPacket = 1 << 20;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connect_to(const char* path) {
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  // By way of the directory: the path may be longer than a socket address.
  std::string full = path;
  size_t slash = full.rfind('/');
  if (slash != std::string::npos && chdir(full.substr(0, slash).c_str()) != 0) die("chdir");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", full.substr(slash + 1).c_str());
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die(path);
  return fd;
}

struct Outgoing {
  std::string data;
  std::vector<int> fds;
};

// Sent as the shim takes them: a client that blocked in sending could not read any more.
std::deque<Outgoing> outgoing;

// False if the socket is full.
bool send_packet(int socket_fd, const Outgoing& packet) {
  const auto& [data, fds] = packet;
  iovec part{const_cast<char*>(data.data()), data.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  if (sendmsg(socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EAGAIN) return false;
    std::printf("send-failed %s\n", strerrorname_np(errno));
  }
  for (int fd : fds) close(fd);
  return true;
}

void send_queued(int socket_fd) {
  while (!outgoing.empty() && send_packet(socket_fd, outgoing.front())) outgoing.pop_front();
}

std::string take_word(std::string& line) {
  size_t space = line.find(' ');
  std::string word = line.substr(0, space);
  line.erase(0, space == std::string::npos ? space : space + 1);
  return word;
}

void queue_with_fds(std::string rest) {
  std::vector<int> fds;
  while (!rest.empty() && rest[0] != '{') {
    bool input = fds.empty();
    std::string path = take_word(rest);
    int fd =
        open(path.c_str(), input ? O_RDONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) die(path.c_str());
    fds.push_back(fd);
  }
  outgoing.push_back({rest, fds});
}

std::string from_hex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

void run_line(std::string line, bool& deaf) {
  if (line.empty()) return;
  if (line[0] != '!') return outgoing.push_back({line, {}});
  std::string command = take_word(line);
  if (command == "!fds") return queue_with_fds(line);
  if (command == "!size") return outgoing.push_back({std::string(std::stoul(line), 'x'), {}});
  if (command == "!hex") return outgoing.push_back({from_hex(line), {}});
  deaf = command == "!deaf";
}

// False when the shim closed the connection.
bool receive(int socket_fd, std::string& buffer) {
  ssize_t got = recv(socket_fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  std::fwrite(buffer.data(), 1, static_cast<size_t>(got), stdout);
  std::putchar('\n');
  std::fflush(stdout);
  return true;
}

// False at the end of standard input.
bool read_lines(std::string& pending, bool& deaf) {
  char part[65536];
  ssize_t got = read(STDIN_FILENO, part, sizeof part);
  if (got <= 0) return false;
  pending.append(part, static_cast<size_t>(got));
  size_t newline;
  while ((newline = pending.find('\n')) != std::string::npos) {
    run_line(pending.substr(0, newline), deaf);
    pending.erase(0, newline + 1);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  int socket_fd = connect_to(argv[1]);
  std::string pending, buffer(kMaxPacket, '\0');
  bool deaf = false, input = true;
  while (true) {
    send_queued(socket_fd);
    int wanted = (deaf ? 0 : POLLIN) | (outgoing.empty() ? 0 : POLLOUT);
    pollfd fds[2] = {{socket_fd, static_cast<short>(wanted), 0}, {input ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) die("poll");
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive(socket_fd, buffer)) break;
    if (fds[1].revents != 0) input = read_lines(pending, deaf);
  }
  std::puts("closed");
  return 0;
}
