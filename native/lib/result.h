// Errors as values. The runner is built without exceptions; every fallible function returns
// Result<T>, and the error names the step that failed, so that a start failure reads
// "step=mount-volume errno=ENOENT path=/data" on the other side of a socket.
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

namespace edgepod {

struct Error {
  const char* step = "";  // static string: kebab-case name of the step, stable, part of the contract
  int err = 0;            // errno value, 0 where none applies
  std::string detail;     // object (path, name, field) and what is wrong with it
};

// Success carries no value.
struct Ok {};

template <typename T = Ok>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return value_.has_value(); }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }
  Error& error() { return error_; }
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

// The error for a failed system call: call it at once, before errno can change.
inline Error errno_error(const char* step, std::string detail = {}) {
  return Error{step, errno, std::move(detail)};
}

// The error for bad input, where no system call failed.
inline Error input_error(const char* step, std::string detail, int err = EINVAL) {
  return Error{step, err, std::move(detail)};
}

}  // namespace edgepod

// Returns from the calling function with the error of `expr` if it failed.
#define EDGEPOD_TRY(expr)                                                  \
  do {                                                                     \
    auto edgepod_try_result = (expr);                                      \
    if (!edgepod_try_result) return std::move(edgepod_try_result.error()); \
  } while (0)
