#include "lib/log/timestamp.h"

#include <cstdint>

namespace edgepod {
namespace {

struct Civil {
  unsigned year, month, day, hour, minute, second;
};

// Days since 1970-01-01 to a date of the proleptic Gregorian calendar, counted in 400-year eras that start
// on 1 March so that the leap day is the last day of a year.
Civil civil_time(time_t seconds) {
  // A board without a clock starts at 1970; nothing before that can be meant.
  uint64_t total = seconds < 0 ? 0 : static_cast<uint64_t>(seconds);
  uint64_t day = total / 86400 + 719468;
  auto rest = static_cast<unsigned>(total % 86400);
  uint64_t era = day / 146097;
  auto day_of_era = static_cast<unsigned>(day % 146097);
  unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned month_from_march = (5 * day_of_year + 2) / 153;
  unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  unsigned year = static_cast<unsigned>(era) * 400 + year_of_era + (month <= 2 ? 1 : 0);
  return {year,        month,          day_of_year - (153 * month_from_march + 2) / 5 + 1,
          rest / 3600, rest / 60 % 60, rest % 60};
}

char* put_digits(char* out, unsigned value, unsigned digits) {
  for (unsigned i = digits; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + digits;
}

}  // namespace

void format_timestamp(const timespec& time, char out[kTimestampSize]) {
  Civil civil = civil_time(time.tv_sec);
  char* at = put_digits(out, civil.year, 4);
  *at++ = '-';
  at = put_digits(at, civil.month, 2);
  *at++ = '-';
  at = put_digits(at, civil.day, 2);
  *at++ = 'T';
  at = put_digits(at, civil.hour, 2);
  *at++ = ':';
  at = put_digits(at, civil.minute, 2);
  *at++ = ':';
  at = put_digits(at, civil.second, 2);
  *at++ = '.';
  at = put_digits(at, static_cast<unsigned>(time.tv_nsec), 9);
  *at = 'Z';
}

std::string timestamp(const timespec& time) {
  char text[kTimestampSize];
  format_timestamp(time, text);
  return std::string(text, sizeof text);
}

void format_rotation_stamp(const timespec& time, char out[kRotationStampSize]) {
  Civil civil = civil_time(time.tv_sec);
  char* at = put_digits(out, civil.year, 4);
  at = put_digits(at, civil.month, 2);
  at = put_digits(at, civil.day, 2);
  *at++ = '-';
  at = put_digits(at, civil.hour, 2);
  at = put_digits(at, civil.minute, 2);
  put_digits(at, civil.second, 2);
}

timespec wall_clock() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

}  // namespace edgepod
