#include "runner/shim/poller.h"

#include <sys/epoll.h>

#include <ctime>

namespace edgepod {

Result<Ok> Poller::open() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return errno_error("epoll");
  return Ok{};
}

Result<Ok> Poller::add(int fd, uint32_t events, Watcher* watcher) {
  auto index = static_cast<size_t>(fd);
  if (index >= watchers_.size()) watchers_.resize(index + 1);
  watchers_[index] = watcher;
  epoll_event event{.events = events, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errno_error("epoll");
  return Ok{};
}

void Poller::change(int fd, uint32_t events) {
  epoll_event event{.events = events, .data = {.fd = fd}};
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd) {
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  auto index = static_cast<size_t>(fd);
  if (index < watchers_.size()) watchers_[index] = nullptr;
}

void Poller::run_once(int timeout_ms) {
  epoll_event event;
  if (epoll_wait(epoll_.get(), &event, 1, timeout_ms) != 1) return;
  Watcher* watcher = watchers_[static_cast<size_t>(event.data.fd)];
  if (watcher != nullptr) watcher->on_ready(event.data.fd, event.events);
}

int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

}  // namespace edgepod
