#include "lib/probe/attempt.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "lib/probe/grpc_exchange.h"
#include "lib/probe/http_exchange.h"

namespace edgepod {

namespace {

constexpr int kRedirectsMax = 10;
// What a flooding server can put into the kernel's memory before we look.
constexpr int kReceiveBuffer = 32 * 1024;
// Read per wake-up: one server must not keep the thread from the other probes.
constexpr size_t kReadSize = 8 * 1024;

Result<std::unique_ptr<Exchange>> exchange_for(const ProbeTarget& target, const std::string& authority) {
  if (const auto* http = std::get_if<HttpTarget>(&target.kind))
    return HttpExchange::create(target, http->path, authority);
  if (std::holds_alternative<GrpcTarget>(target.kind)) return GrpcExchange::create(target);
  return std::unique_ptr<Exchange>();
}

ProbeAnswer failure(std::string message) { return {ProbeOutcome::kFailure, std::move(message)}; }

}  // namespace

// How messages about the connection begin, in the words people know from kubectl.
std::string Attempt::opening() const {
  std::string const where = host_and_port(target_.host, target_.port);
  if (const auto* http = std::get_if<HttpTarget>(&target_.kind))
    return "Get \"http://" + where + printable(http->path, 200) + "\": ";
  if (std::holds_alternative<GrpcTarget>(target_.kind)) return "error: health rpc to " + where + " failed: ";
  return "";
}

ProbeAnswer Attempt::broken(int error) const {
  const char* words = strerrordesc_np(error);
  std::string const where = host_and_port(target_.host, target_.port);
  std::string const step = connected_ ? "read tcp " + where + ": " : "dial tcp " + where + ": connect: ";
  return failure(opening() + step + (words != nullptr ? words : "unknown error"));
}

ProbeAnswer Attempt::timed_out() const {
  std::string const where = host_and_port(target_.host, target_.port);
  if (!connected_) return failure(opening() + "dial tcp " + where + ": i/o timeout");
  return failure(opening() + "timeout while awaiting " +
                 (exchange_ ? exchange_->waiting_for() : "the connection"));
}

std::optional<ProbeAnswer> Attempt::start() { return connect_to(target_.port); }

std::optional<ProbeAnswer> Attempt::connect_to(uint16_t port) {
  target_.port = port;
  connected_ = false;
  connections_ += 1;
  auto address = numeric_address(target_.host, port);
  if (!address) return failure(address.error().detail);
  auto exchange = exchange_for(target_, authority_);
  if (!exchange) return failure(exchange.error().detail);
  exchange_ = std::move(*exchange);
  socket_.reset(socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket_) return broken(errno);
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  int const done = connect(socket_.get(), reinterpret_cast<sockaddr*>(&address->storage), address->size);
  if (done != 0 && errno != EINPROGRESS) return broken(errno);
  // On this machine the handshake is over when connect() returns, in progress or not: the request can go out
  // at once, which saves a wake-up.
  return exchange_ ? send() : std::nullopt;
}

bool Attempt::wants_to_write() const { return !connected_ || (exchange_ && !exchange_->pending().empty()); }

std::optional<ProbeAnswer> Attempt::send() {
  while (!exchange_->pending().empty()) {
    std::string_view const bytes = exchange_->pending();
    ssize_t const size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EAGAIN || errno == EINTR) return std::nullopt;
      // An answer may have come before the server stopped listening to us: read it first.
      if (connected_ && (errno == EPIPE || errno == ECONNRESET)) return std::nullopt;
      return broken(errno);
    }
    connected_ = true;
    exchange_->sent(static_cast<size_t>(size));
  }
  return std::nullopt;
}

std::optional<ProbeAnswer> Attempt::advance(bool readable) {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return broken(error);
    if (!exchange_) return ProbeAnswer{ProbeOutcome::kSuccess, "connected"};
    connected_ = true;
  }
  if (auto answer = send()) return answer;
  return readable ? receive() : std::nullopt;
}

std::optional<ProbeAnswer> Attempt::receive() {
  char bytes[kReadSize];
  ssize_t const size = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    return broken(errno);
  }
  ProbeStep step = size == 0 ? exchange_->ended() : exchange_->receive({bytes, static_cast<size_t>(size)});
  // The server is gone and the conversation does not see it: never wait on a socket that is always readable.
  if (size == 0 && !step.done()) return failure(opening() + "EOF");
  if (!step.done()) return send();
  return take(std::move(step));
}

std::optional<ProbeAnswer> Attempt::take(ProbeStep step) {
  if (step.answer) return std::move(step.answer);
  if (++redirects_ >= kRedirectsMax) return failure(opening() + "stopped after 10 redirects");
  std::get<HttpTarget>(target_.kind).path = step.redirect->path;
  if (!step.redirect->authority.empty()) authority_ = step.redirect->authority;
  return connect_to(step.redirect->port);
}

}  // namespace edgepod
