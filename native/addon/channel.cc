#include "addon/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "addon/state.h"

namespace edgepod {

namespace {

// Packets handled per wake-up: a shim that floods events must not keep the event loop from everything else.
constexpr int kBurst = 32;

union Control {
  cmsghdr align;
  char bytes[CMSG_SPACE(kFdsMax * sizeof(int))];
};

std::vector<UniqueFd> received_fds(msghdr& message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t const count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t at = 0; at < count; ++at) {
      int fd;
      memcpy(&fd, CMSG_DATA(part) + at * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Result<UniqueFd> connect_seqpacket(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::string name = path;
  UniqueFd dir;
  if (name.size() >= sizeof address.sun_path) {
    size_t const slash = path.rfind('/');
    dir.reset(open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!dir) return errno_error("shim-connect", path);
    name = "/proc/self/fd/" + std::to_string(dir.get()) + path.substr(slash);
    if (name.size() >= sizeof address.sun_path) return input_error("shim-connect", path, ENAMETOOLONG);
  }
  memcpy(address.sun_path, name.data(), name.size());
  UniqueFd socket_fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_fd) return errno_error("shim-connect", path);
  if (connect(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return errno_error("shim-connect", path);
  return socket_fd;
}

Channel::Channel(AddonState* state, uint32_t handle, UniqueFd socket, Napi::Function on_message,
                 Napi::Function on_close)
    : state_(state),
      handle_(handle),
      socket_(std::move(socket)),
      on_message_(Napi::Persistent(on_message)),
      on_close_(Napi::Persistent(on_close)) {}

Result<Ok> Channel::start() {
  int const error = uv_poll_init(state_->loop, &poll_, socket_.get());
  if (error != 0) return Error{"shim-connect", -error, "uv_poll_init"};
  poll_.data = this;
  state_->open_handles += 1;
  watch();
  return Ok{};
}

void Channel::watch() {
  uv_poll_start(&poll_, UV_READABLE | (queue_.empty() ? 0 : UV_WRITABLE), &Channel::on_ready);
}

void Channel::set_ref(bool ref) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  ref ? uv_ref(handle) : uv_unref(handle);
}

Result<Ok> Channel::transmit(const void* data, size_t size, const int* fds, size_t fd_count) {
  iovec part = {const_cast<void*>(data), size};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control = {};
  if (fd_count > 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, fd_count * sizeof(int));
  }
  while (sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno != EINTR) return errno_error("shim-send");
  }
  return Ok{};
}

Result<Ok> Channel::send(const void* data, size_t size, const int* fds, size_t fd_count) {
  if (size == 0 || size > kPacketMax)
    return input_error("shim-send", "a message has 1 to 65536 bytes", EMSGSIZE);
  if (fd_count > kFdsMax) return input_error("shim-send", "too many file descriptors", E2BIG);
  if (queue_.empty()) {
    auto sent = transmit(data, size, fds, fd_count);
    if (sent || sent.error().err != EAGAIN) return sent;
  }
  if (queued_bytes_ + size > kQueueBytes) return input_error("shim-send", "the peer does not read", ENOBUFS);
  Packet packet;
  packet.data.assign(static_cast<const char*>(data), size);
  for (size_t at = 0; at < fd_count; ++at) {
    UniqueFd copy(fcntl(fds[at], F_DUPFD_CLOEXEC, 3));
    if (!copy) return errno_error("shim-send", "dup");
    packet.fds.push_back(std::move(copy));
  }
  queue_.push_back(std::move(packet));
  queued_bytes_ += size;
  watch();
  return Ok{};
}

void Channel::flush() {
  while (!queue_.empty()) {
    Packet& packet = queue_.front();
    int fds[kFdsMax];
    for (size_t at = 0; at < packet.fds.size(); ++at) fds[at] = packet.fds[at].get();
    auto sent = transmit(packet.data.data(), packet.data.size(), fds, packet.fds.size());
    if (!sent) {
      if (sent.error().err == EAGAIN) return;
      return ended(sent.error().err);
    }
    queued_bytes_ -= packet.data.size();
    queue_.pop_front();
  }
  watch();
}

void Channel::on_ready(uv_poll_t* poll, int status, int events) {
  auto* self = static_cast<Channel*>(poll->data);
  Napi::HandleScope const scope(self->state_->env);
  if (status < 0) return self->ended(-status);
  if (events & UV_WRITABLE) self->flush();
  if (!self->closed_ && (events & UV_READABLE)) self->receive();
}

void Channel::receive() {
  auto& buffer = state_->receive_buffer;
  if (!buffer) buffer = std::make_unique<unsigned char[]>(kPacketMax);
  for (int count = 0; count < kBurst && !closed_; ++count) {
    iovec part = {buffer.get(), kPacketMax};
    Control control = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t const size = recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) ended(errno);
      return;
    }
    std::vector<UniqueFd> fds = received_fds(message);  // owned at once: an early return must not leak them
    if (size == 0) return ended(0);
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return ended(EMSGSIZE);
    deliver(buffer.get(), static_cast<size_t>(size), fds);
  }
}

void Channel::deliver(const unsigned char* data, size_t size, std::vector<UniqueFd>& fds) {
  Napi::Env const env = state_->env;
  Napi::HandleScope const scope(env);
  auto buffer = Napi::Buffer<unsigned char>::Copy(env, data, size);
  Napi::Array const numbers = Napi::Array::New(env, fds.size());
  for (uint32_t at = 0; at < fds.size(); ++at) numbers.Set(at, Napi::Number::New(env, fds[at].get()));
  Napi::Function const callback = on_message_.Value();
  for (UniqueFd& fd : fds) fd.release();  // the callback owns them from here
  call_js(*state_, callback, {buffer, numbers});
}

void Channel::ended(int error) {
  if (closed_) return;
  Napi::Env const env = state_->env;
  Napi::Function const callback = on_close_.Value();
  close();
  const char* name = error == 0 ? nullptr : strerrorname_np(error);
  Napi::Value const code = name == nullptr ? env.Null() : Napi::String::New(env, name).As<Napi::Value>();
  call_js(*state_, callback, {code});
}

void Channel::close() {
  if (closed_) return;
  closed_ = true;
  state_->channels.erase(handle_);
  on_message_.Reset();
  on_close_.Reset();
  queue_.clear();
  uv_poll_stop(&poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<Channel*>(handle->data);
    AddonState* state = self->state_;
    delete self;
    handle_closed(state);
  });
  socket_
      .reset();  // after uv_poll_stop took it out of epoll: the peer sees the end now, not a loop turn later
}

}  // namespace edgepod
