// The shim's only wait: epoll, one event at a time. One, so that a handler may destroy any watcher, itself
// included, without a stale event of the same batch reaching it; and because level-triggered epoll hands
// ready descriptors out in turn, no container's output can starve another's.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

class Watcher {
 public:
  virtual void on_ready(int fd, uint32_t events) = 0;

 protected:
  ~Watcher() = default;
};

class Poller {
 public:
  Result<Ok> open();

  // `events` are EPOLLIN and so on; level-triggered. The watcher must call remove() before it goes away.
  Result<Ok> add(int fd, uint32_t events, Watcher* watcher);
  void change(int fd, uint32_t events);
  // Call before closing: a child between clone and exec may hold a copy, and the kernel then keeps the watch.
  void remove(int fd);

  // Waits for one event and handles it; returns after at most `timeout_ms` (-1: no limit).
  void run_once(int timeout_ms);

 private:
  UniqueFd epoll_;
  std::vector<Watcher*> watchers_;  // by descriptor
};

// Milliseconds of this boot; never goes back, goes on while suspended.
int64_t monotonic_ms();

}  // namespace edgepod
