// UTC times as text, without the C library's time zone code (which opens files and keeps a heap).
#pragma once

#include <ctime>
#include <string>

namespace edgepod {

// "2016-10-06T00:17:09.669794202Z": RFC 3339 with always nine fractional digits, so that text sorts as time.
constexpr size_t kTimestampSize = 30;
void format_timestamp(const timespec& time, char out[kTimestampSize]);
std::string timestamp(const timespec& time);

// "20161006-001709": the suffix kubelet gives a rotated log.
constexpr size_t kRotationStampSize = 15;
void format_rotation_stamp(const timespec& time, char out[kRotationStampSize]);

// The wall clock, for people only: decisions use the monotonic clock.
timespec wall_clock();

}  // namespace edgepod
