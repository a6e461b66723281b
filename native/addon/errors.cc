#include "addon/errors.h"

#include <cstring>

namespace edgepod {

Napi::Error js_error(Napi::Env env, const Error& error) {
  const char* name = error.err == 0 ? nullptr : strerrorname_np(error.err);
  const char* words = error.err == 0 ? nullptr : strerrordesc_np(error.err);
  std::string message = error.step;
  if (!error.detail.empty()) message += ": " + error.detail;
  if (words != nullptr) message += std::string(": ") + words;
  Napi::Error result = Napi::Error::New(env, message);
  result.Set("step", Napi::String::New(env, error.step));
  result.Set("errno", Napi::Number::New(env, error.err));
  result.Set("code", Napi::String::New(env, name == nullptr ? "EUNKNOWN" : name));
  result.Set("detail", Napi::String::New(env, error.detail));
  return result;
}

Napi::Value throw_error(Napi::Env env, const Error& error) {
  js_error(env, error).ThrowAsJavaScriptException();
  return env.Undefined();
}

namespace {

void throw_type_error(Napi::Env env, const char* name, const char* wanted) {
  Napi::TypeError::New(env, std::string(name) + " must be " + wanted).ThrowAsJavaScriptException();
}

// A NUL inside would silently cut the path or argument short on its way into the kernel.
std::optional<std::string> text_of(Napi::Value value) {
  if (!value.IsString()) return std::nullopt;
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) return std::nullopt;
  return text;
}

}  // namespace

std::optional<std::string> string_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  auto text = text_of(info[index]);
  if (!text) throw_type_error(info.Env(), name, "a string without NUL");
  return text;
}

std::optional<double> number_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (info[index].IsNumber()) return info[index].As<Napi::Number>().DoubleValue();
  throw_type_error(info.Env(), name, "a number");
  return std::nullopt;
}

std::optional<std::vector<std::string>> strings_argument(const Napi::CallbackInfo& info, size_t index,
                                                         const char* name) {
  std::vector<std::string> texts;
  if (info[index].IsArray()) {
    Napi::Array const array = info[index].As<Napi::Array>();
    texts.reserve(array.Length());
    for (uint32_t at = 0; at < array.Length(); ++at) {
      auto text = text_of(array.Get(at));
      if (!text) break;
      texts.push_back(std::move(*text));
    }
    if (texts.size() == array.Length()) return texts;
  }
  throw_type_error(info.Env(), name, "an array of strings without NUL");
  return std::nullopt;
}

}  // namespace edgepod
