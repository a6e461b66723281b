// Native errors as JavaScript Errors with `step`, `errno`, `code` ("ENOENT") and `detail`;
// src/runtime/errors.ts makes RuntimeErrors of them. And the argument checks every exported function starts
// with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "addon/napi_system.h"
#include "lib/result.h"

namespace edgepod {

Napi::Error js_error(Napi::Env env, const Error& error);

// Throws and returns undefined, for `return throw_error(…)`.
Napi::Value throw_error(Napi::Env env, const Error& error);

// Argument `index` as a string without NUL; else throws a TypeError naming the argument and returns nothing.
std::optional<std::string> string_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
std::optional<double> number_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
std::optional<std::vector<std::string>> strings_argument(const Napi::CallbackInfo& info, size_t index,
                                                         const char* name);

}  // namespace edgepod
