// One connection of seqpacket.h.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "addon/napi_system.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct AddonState;

constexpr size_t kPacketMax = 64 * 1024;     // protocol: one message, one packet
constexpr size_t kQueueBytes = 1024 * 1024;  // waiting to be sent
constexpr size_t kFdsMax = 8;                // per packet, both directions

class Channel {
 public:
  Channel(AddonState* state, uint32_t handle, UniqueFd socket, Napi::Function on_message,
          Napi::Function on_close);

  Result<Ok> start();
  Result<Ok> send(const void* data, size_t size, const int* fds, size_t fd_count);
  void set_ref(bool ref);

  // Stops and frees the channel (after libuv let go of it). No callback is made from here.
  void close();

 private:
  struct Packet {
    std::string data;
    std::vector<UniqueFd> fds;
  };

  static void on_ready(uv_poll_t* poll, int status, int events);
  Result<Ok> transmit(const void* data, size_t size, const int* fds, size_t fd_count);
  void flush();
  void receive();
  void deliver(const unsigned char* data, size_t size, std::vector<UniqueFd>& fds);
  void ended(int error);  // tells JavaScript and closes
  void watch();

  AddonState* state_;
  uint32_t handle_;
  UniqueFd socket_;
  Napi::FunctionReference on_message_;
  Napi::FunctionReference on_close_;
  uv_poll_t poll_ = {};
  std::deque<Packet> queue_;
  size_t queued_bytes_ = 0;
  bool closed_ = false;
};

// Connects without waiting. Paths longer than sun_path are reached through /proc/self/fd.
Result<UniqueFd> connect_seqpacket(const std::string& path);

}  // namespace edgepod
