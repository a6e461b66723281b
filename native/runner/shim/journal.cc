#include "runner/shim/journal.h"

#include <algorithm>
#include <utility>

namespace edgepod {

uint64_t Journal::add(Event event) {
  event.seq = ++last_seq_;
  events_.push_back(std::move(event));
  if (events_.size() > kCapacity) make_room();
  return last_seq_;
}

void Journal::make_room() {
  auto oldest_oom = std::find_if(events_.begin(), events_.end(),
                                 [](const Event& event) { return event.type == EventType::Oom; });
  if (oldest_oom != events_.end()) events_.erase(oldest_oom);
}

void Journal::acknowledge(uint64_t seq) {
  while (!events_.empty() && events_.front().seq <= seq) events_.pop_front();
  if (events_.empty()) events_.shrink_to_fit();
}

const Event* Journal::after(uint64_t seq) const {
  auto found = std::upper_bound(events_.begin(), events_.end(), seq,
                                [](uint64_t value, const Event& event) { return value < event.seq; });
  return found == events_.end() ? nullptr : &*found;
}

bool Journal::holds_exit(std::string_view container, uint32_t attempt) const {
  return std::any_of(events_.begin(), events_.end(), [&](const Event& event) {
    return event.type == EventType::Exit && event.container == container && event.attempt == attempt;
  });
}

bool Journal::has_room(size_t more) const {
  if (events_.size() + more <= kCapacity) return true;
  auto ooms = static_cast<size_t>(std::count_if(
      events_.begin(), events_.end(), [](const Event& event) { return event.type == EventType::Oom; }));
  return events_.size() - ooms + more <= kCapacity;
}

}  // namespace edgepod
