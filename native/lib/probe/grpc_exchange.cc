#include "lib/probe/grpc_exchange.h"

#include <algorithm>

namespace edgepod {

namespace {

enum FrameType : uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7 };
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr uint8_t kPadded = 8;
constexpr size_t kHeadSize = 9;
constexpr uint32_t kFrameMax = 16384;  // what every peer has to keep to unless told otherwise
constexpr size_t kReceivedMax = 64 * 1024;
constexpr size_t kMessageMax = 1024;  // a HealthCheckResponse has two bytes
constexpr size_t kServiceMax = 1024;
constexpr size_t kGrpcPrefix = 5;  // compressed?, length
constexpr uint32_t kStream = 1;

std::string big_endian(uint32_t value, int bytes) {
  std::string result;
  for (int at = bytes - 1; at >= 0; --at) result += static_cast<char>(value >> (8 * at));
  return result;
}

std::string frame_of(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string result = big_endian(static_cast<uint32_t>(payload.size()), 3);
  result += static_cast<char>(type);
  result += static_cast<char>(flags);
  return result.append(big_endian(stream, 4)).append(payload);
}

// An HPACK or protobuf integer that starts with `bits` of its own byte.
std::string hpack_integer(size_t value, unsigned bits) {
  size_t const full = (size_t{1} << bits) - 1;
  if (value < full) return std::string(1, static_cast<char>(value));
  std::string result(1, static_cast<char>(full));
  for (value -= full; value >= 128; value /= 128) result += static_cast<char>(value % 128 | 128);
  return result += static_cast<char>(value);
}

std::string varint(size_t value) {
  std::string result;
  for (; value >= 128; value /= 128) result += static_cast<char>(value % 128 | 128);
  return result += static_cast<char>(value);
}

// "Literal header field without indexing, new name", no Huffman.
std::string literal(std::string_view name, std::string_view value) {
  std::string result(1, '\0');
  return result.append(hpack_integer(name.size(), 7))
      .append(name)
      .append(hpack_integer(value.size(), 7))
      .append(value);
}

uint32_t read_big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (unsigned char const c : bytes) value = value << 8 | c;
  return value;
}

std::string request_of(const ProbeTarget& target) {
  const auto& grpc = std::get<GrpcTarget>(target.kind);
  std::string message;
  if (!grpc.service.empty()) message = "\x0a" + varint(grpc.service.size()) + grpc.service;
  std::string const body =
      std::string(1, '\0') + big_endian(static_cast<uint32_t>(message.size()), 4) + message;
  std::string const headers = literal(":method", "POST") + literal(":scheme", "http") +
                              literal(":path", "/grpc.health.v1.Health/Check") +
                              literal(":authority", host_and_port(target.host, target.port)) +
                              literal("content-type", "application/grpc") + literal("te", "trailers") +
                              literal("user-agent", grpc.user_agent);
  // SETTINGS: no dynamic table (1), no push (2).
  std::string const settings = big_endian(1, 2) + big_endian(0, 4) + big_endian(2, 2) + big_endian(0, 4);
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame_of(kSettings, 0, 0, settings) +
         frame_of(kHeaders, kEndHeaders, kStream, headers) + frame_of(kData, kEndStream, kStream, body);
}

// ServingStatus of a HealthCheckResponse; 0 (UNKNOWN) when the field is not there, -1 for what is no message.
int serving_status(std::string_view message) {
  if (message.empty()) return 0;
  if (message.size() == 2 && message[0] == 0x08 && static_cast<unsigned char>(message[1]) < 128)
    return message[1];
  return -1;
}

const char* status_name(int status) {
  switch (status) {
    case 0:
      return "UNKNOWN";
    case 2:
      return "NOT_SERVING";
    case 3:
      return "SERVICE_UNKNOWN";
    default:
      return "something that is no health status";
  }
}

}  // namespace

Result<std::unique_ptr<Exchange>> GrpcExchange::create(const ProbeTarget& target) {
  const auto& grpc = std::get<GrpcTarget>(target.kind);
  if (grpc.service.size() > kServiceMax) return input_error("probe-request", "service name too long", E2BIG);
  return std::unique_ptr<Exchange>(new GrpcExchange(target, request_of(target)));
}

GrpcExchange::GrpcExchange(const ProbeTarget& target, std::string request)
    : name_(host_and_port(target.host, target.port)), service_(std::get<GrpcTarget>(target.kind).service) {
  output_ = std::move(request);
}

void GrpcExchange::answer(uint8_t type, std::string_view payload) {
  output_ += frame_of(type, kAck, 0, payload);
}

ProbeStep GrpcExchange::verdict() {
  if (message_.size() < kGrpcPrefix)
    return failed("error: " + name_ + " did not answer grpc.health.v1.Health/Check" +
                  (service_.empty() ? "" : " for service \"" + printable(service_, 100) + "\""));
  size_t const size = read_big_endian(std::string_view(message_).substr(1, 4));
  if (message_[0] != 0 || size != message_.size() - kGrpcPrefix)
    return failed("error: malformed gRPC message");
  int const status = serving_status(std::string_view(message_).substr(kGrpcPrefix));
  if (status == 1) return succeeded("SERVING");
  return failed(std::string("service unhealthy (responded with \"") + status_name(status) + "\")");
}

ProbeStep GrpcExchange::data() {
  std::string_view content = payload_;
  if (head_.flags & kPadded) {
    size_t const padding = content.empty() ? 0 : static_cast<unsigned char>(content[0]) + size_t{1};
    if (content.empty() || padding > content.size()) return failed("error: malformed HTTP/2 frame");
    content = content.substr(1, content.size() - padding);
  }
  if (message_.size() + content.size() > kMessageMax) return failed("error: gRPC message over 1 KiB");
  message_ += content;
  // The message decides; trailers would only repeat that it went well.
  bool const whole =
      message_.size() >= kGrpcPrefix &&
      message_.size() - kGrpcPrefix >= read_big_endian(std::string_view(message_).substr(1, 4));
  return whole || (head_.flags & kEndStream) ? verdict() : more();
}

ProbeStep GrpcExchange::frame() {
  switch (head_.type) {
    case kSettings:
      settled_ = true;
      if (!(head_.flags & kAck)) answer(kSettings, {});
      return more();
    case kPing:
      if (payload_.size() != 8) return failed("error: malformed HTTP/2 frame");
      if (!(head_.flags & kAck)) answer(kPing, payload_);
      return more();
    case kData:
      return head_.stream == kStream ? data() : more();
    case kHeaders:
      return head_.stream == kStream && (head_.flags & kEndStream) ? verdict() : more();
    case kReset:
      return head_.stream == kStream ? failed("error: the server reset the stream") : more();
    case kGoAway:
      return failed("error: the server sent GOAWAY");
    default:
      return more();  // WINDOW_UPDATE, CONTINUATION, extensions
  }
}

ProbeStep GrpcExchange::receive(std::string_view bytes) {
  received_ += bytes.size();
  if (received_ > kReceivedMax) return failed("error: answer over 64 KiB");
  while (!bytes.empty() || (in_payload_ && head_.length == 0)) {
    size_t const wanted = in_payload_ ? head_.length : kHeadSize;
    size_t const size = std::min(wanted - payload_.size(), bytes.size());
    payload_ += bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (payload_.size() < wanted) break;
    if (in_payload_) {
      ProbeStep step = frame();
      payload_.clear();
      in_payload_ = false;
      if (step.done()) return step;
      continue;
    }
    head_.length = read_big_endian(std::string_view(payload_).substr(0, 3));
    head_.type = static_cast<uint8_t>(payload_[3]);
    head_.flags = static_cast<uint8_t>(payload_[4]);
    head_.stream = read_big_endian(std::string_view(payload_).substr(5, 4)) & 0x7fffffffu;
    // Whatever is no HTTP/2 shows at its first frame, which has to be SETTINGS.
    if (head_.length > kFrameMax || (!settled_ && (head_.type != kSettings || head_.stream != 0)))
      return failed("error: " + name_ + " does not speak HTTP/2 without TLS");
    payload_.clear();
    in_payload_ = true;
  }
  return more();
}

ProbeStep GrpcExchange::ended() {
  return failed("error: " + name_ + " closed the connection" + (settled_ ? "" : " before HTTP/2 began"));
}

}  // namespace edgepod
