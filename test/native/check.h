// The whole test framework: a test is a program that runs CHECKs in main() and ends with `return
// check_report();`.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

inline int check_failures = 0;
inline int check_count = 0;

// Counts a failed condition and goes on, so that one run shows everything that is wrong.
#define CHECK(condition)                                                                 \
  do {                                                                                   \
    check_count++;                                                                       \
    if (!(condition)) {                                                                  \
      check_failures++;                                                                  \
      std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
    }                                                                                    \
  } while (0)

inline std::string check_text(std::string_view value) { return std::string(value); }
inline std::string check_text(const std::string& value) { return value; }
inline std::string check_text(const char* value) { return value ? value : "(null)"; }
inline std::string check_text(bool value) { return value ? "true" : "false"; }
template <typename T>
std::string check_text(T value) {
  return std::to_string(value);
}

// Compares and, on failure, prints both sides.
#define CHECK_EQ(actual, expected)                                                            \
  do {                                                                                        \
    check_count++;                                                                            \
    const auto& check_a = (actual);                                                           \
    const auto& check_e = (expected);                                                         \
    if (!(check_a == check_e)) {                                                              \
      check_failures++;                                                                       \
      std::fprintf(stderr, "%s:%d: %s is '%s', expected '%s'\n", __FILE__, __LINE__, #actual, \
                   check_text(check_a).c_str(), check_text(check_e).c_str());                 \
    }                                                                                         \
  } while (0)

// A Result must be a success; prints its error otherwise. Usable as a condition: if (CHECK_OK(r)) use(*r);
#define CHECK_OK(result) check_ok((result), __FILE__, __LINE__, #result)
template <typename R>
bool check_ok(const R& result, const char* file, int line, const char* text) {
  check_count++;
  if (result) return true;
  check_failures++;
  std::fprintf(stderr, "%s:%d: %s failed: step=%s errno=%d %s\n", file, line, text, result.error().step,
               result.error().err, result.error().detail.c_str());
  return false;
}

// Prints the summary; the exit status of the test program.
inline int check_report() {
  std::printf("%d checks, %d failed\n", check_count, check_failures);
  return check_failures ? 1 : 0;
}
