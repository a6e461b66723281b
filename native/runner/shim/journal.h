// Events the agent has not acknowledged yet: numbered without gaps from 1, kept across client connections.
// Bounded by dropping the oldest oom notices; an exit is never dropped. (Exits are bounded too: the shim
// refuses to start a container whose exit might not fit, see has_room().)
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "runner/shim/exit_status.h"

namespace edgepod {

enum class EventType { Exit, Oom, Lost };

struct Event {
  uint64_t seq = 0;
  EventType type = EventType::Exit;
  std::string container;  // Exit, Oom
  uint32_t attempt = 0;
  ExitStatus exit;     // Exit
  std::string reason;  // Lost
};

class Journal {
 public:
  static constexpr size_t kCapacity = 1024;

  // Numbers the event and keeps it. Returns its number.
  uint64_t add(Event event);

  // Forgets all events up to and including `seq`.
  void acknowledge(uint64_t seq);

  // The oldest kept event with a number greater than `seq`, or null.
  const Event* after(uint64_t seq) const;

  // Whether the exit of this attempt is among what is kept.
  bool holds_exit(std::string_view container, uint32_t attempt) const;

  uint64_t last_seq() const { return last_seq_; }
  size_t size() const { return events_.size(); }

  // Whether `more` exits fit in besides what is kept (oom notices give way).
  bool has_room(size_t more) const;

 private:
  void make_room();

  std::deque<Event> events_;
  uint64_t last_seq_ = 0;
};

}  // namespace edgepod
