#include "runner/shim/poller.h"

#include <sys/epoll.h>

#include <ctime>

namespace edgepod {

// `data.fd` alone would not do: the watcher pointer is needed, and epoll carries 64 bits. The descriptor is
// looked up by the watcher, which knows which of its own became ready: both fit, since user addresses have at
// most 48 significant bits and descriptors are far below 2^16 (RLIMIT_NOFILE of a shim).
namespace {

constexpr int kPointerBits = 48;
constexpr int kMaxFd = (1 << (64 - kPointerBits)) - 1;

uint64_t pack(int fd, Watcher* watcher) {
  return static_cast<uint64_t>(fd) << kPointerBits | reinterpret_cast<uintptr_t>(watcher);
}

}  // namespace

Result<Ok> Poller::open() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return errno_error("epoll");
  return Ok{};
}

Result<Ok> Poller::add(int fd, uint32_t events, Watcher* watcher) {
  if (fd > kMaxFd) return input_error("epoll", "too many open descriptors", EMFILE);
  epoll_event event{.events = events, .data = {.u64 = pack(fd, watcher)}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errno_error("epoll");
  return Ok{};
}

void Poller::change(int fd, uint32_t events, Watcher* watcher) {
  epoll_event event{.events = events, .data = {.u64 = pack(fd, watcher)}};
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd) { (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Poller::run_once(int timeout_ms) {
  epoll_event event;
  if (epoll_wait(epoll_.get(), &event, 1, timeout_ms) != 1) return;
  uint64_t packed = event.data.u64;
  auto* watcher = reinterpret_cast<Watcher*>(packed & ((1ULL << kPointerBits) - 1));
  watcher->on_ready(static_cast<int>(packed >> kPointerBits), event.events);
}

int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

}  // namespace edgepod
