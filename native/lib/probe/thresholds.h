// Kubernetes' thresholds: a verdict changes only after so many answers of one kind in a row. The same rule,
// for probes that JavaScript asks, is src/runtime/prober/thresholds.ts; test/fixtures/probe-thresholds.txt
// holds both to it.
#pragma once

#include <cstdint>

namespace edgepod {

class Thresholds {
 public:
  Thresholds(uint32_t success, uint32_t failure) : success_(success), failure_(failure) {}

  // True when this answer makes a verdict: the first one, or the opposite of the one before.
  bool count(bool ok) {
    run_ = run_ > 0 && ok == last_ ? run_ + 1 : 1;
    last_ = ok;
    if (run_ < (ok ? success_ : failure_)) return false;
    run_ -= 1;  // stays at the threshold, and can never overflow
    if (decided_ && verdict_ == ok) return false;
    decided_ = true;
    verdict_ = ok;
    return true;
  }

 private:
  uint32_t success_;
  uint32_t failure_;
  uint32_t run_ = 0;
  bool last_ = false;
  bool decided_ = false;
  bool verdict_ = false;
};

}  // namespace edgepod
