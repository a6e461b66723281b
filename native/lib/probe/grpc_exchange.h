// grpc.health.v1.Health/Check over HTTP/2 with prior knowledge. The request's headers are literals without
// compression, and of the answer only DATA frames are read: SERVING is one message of known bytes, and
// whatever else comes is not SERVING. That needs no HPACK decoder, the part of HTTP/2 that goes wrong most
// easily.
#pragma once

#include <cstdint>
#include <memory>

#include "lib/probe/exchange.h"

namespace edgepod {

class GrpcExchange : public Exchange {
 public:
  static Result<std::unique_ptr<Exchange>> create(const ProbeTarget& target);

  ProbeStep receive(std::string_view bytes) override;
  ProbeStep ended() override;
  const char* waiting_for() const override { return settled_ ? "a response" : "HTTP/2 settings"; }

 private:
  struct FrameHead {
    uint32_t length = 0;
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t stream = 0;
  };

  GrpcExchange(const ProbeTarget& target, std::string request);

  ProbeStep frame();
  ProbeStep data();
  ProbeStep verdict();
  void answer(uint8_t type, std::string_view payload);

  std::string name_;
  std::string service_;
  FrameHead head_;
  std::string payload_;  // of the frame being read, or its 9 bytes of head
  bool in_payload_ = false;
  bool settled_ = false;
  std::string message_;  // DATA of our stream so far
  size_t received_ = 0;
};

}  // namespace edgepod
