#include "runner/shim/client.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runner/shim/messages.h"
#include "runner/shim/protocol.h"

namespace edgepod {
namespace {

constexpr size_t kPassedFds = 3;
// Room for one more than allowed, so that a fourth is seen and refused rather than cut off silently.
constexpr size_t kReceivedFds = kPassedFds + 1;
// Results of execs that end while the client does not read. Beyond this it is taken for dead.
constexpr size_t kMaxQueued = 4u << 20;

std::vector<UniqueFd> take_fds(msghdr& message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

void Client::adopt(UniqueFd connection) {
  close();
  fd_ = std::move(connection);
  generation_++;
  watched_ = EPOLLIN;
  if (!poller_.add(fd_.get(), watched_, this)) fd_.reset();
}

void Client::close() {
  if (!fd_) return;
  poller_.remove(fd_.get());
  fd_.reset();
  queue_.clear();
  queued_bytes_ = 0;
  held_ = false;
  events_begun_ = false;
  sent_seq_ = 0;
}

void Client::send(std::string packet) {
  if (!fd_) return;
  queued_bytes_ += packet.size();
  queue_.push_back(std::move(packet));
  if (queued_bytes_ > kMaxQueued) close();
}

void Client::begin_events() {
  events_begun_ = true;
  sent_seq_ = 0;
}

void Client::on_ready(int, uint32_t events) {
  if ((events & EPOLLIN) != 0) return receive();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return close();
  flush();
}

void Client::receive() {
  iovec part{buffer_, kMaxMessage + 1};
  alignas(cmsghdr) char control[CMSG_SPACE(kReceivedFds * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  std::vector<UniqueFd> fds;
  if (got >= 0) fds = take_fds(message);
  if (got <= 0) return close();
  if ((message.msg_flags & MSG_TRUNC) != 0 || static_cast<size_t>(got) > kMaxMessage)
    return handler_.on_bad_packet(input_error("request", "packet is larger than 64 KiB", EMSGSIZE));
  if ((message.msg_flags & MSG_CTRUNC) != 0 || fds.size() > kPassedFds)
    return handler_.on_bad_packet(input_error("request", "more than 3 descriptors passed"));
  handler_.on_packet({buffer_, static_cast<size_t>(got)}, std::move(fds));
}

Client::Sent Client::send_packet(const std::string& packet) {
  ssize_t sent;
  do {
    sent = ::send(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return Sent::All;
  return errno == EAGAIN || errno == ENOBUFS ? Sent::Blocked : Sent::Broken;
}

Client::Sent Client::flush_queue() {
  while (!queue_.empty()) {
    Sent sent = send_packet(queue_.front());
    if (sent != Sent::All) return sent;
    queued_bytes_ -= queue_.front().size();
    queue_.pop_front();
  }
  return Sent::All;
}

Client::Sent Client::flush_events() {
  while (events_begun_) {
    const Event* event = journal_.after(sent_seq_);
    if (event == nullptr) break;
    Sent sent = send_packet(event_message(*event));
    if (sent != Sent::All) return sent;
    sent_seq_ = event->seq;
  }
  return Sent::All;
}

void Client::flush() {
  if (!fd_) return;
  Sent sent = flush_queue();
  if (sent == Sent::All) sent = flush_events();
  if (sent == Sent::Broken) return close();
  watch(sent == Sent::Blocked);
}

// A client that does not read its answers is not listened to either: its requests wait in the socket, and
// nothing piles up here.
void Client::watch(bool blocked) {
  uint32_t wanted = (queue_.empty() && !held_ ? EPOLLIN : 0u) | (blocked ? EPOLLOUT : 0u);
  if (wanted == watched_) return;
  watched_ = wanted;
  poller_.change(fd_.get(), wanted);
}

}  // namespace edgepod
