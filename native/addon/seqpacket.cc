#include "addon/seqpacket.h"

#include "addon/channel.h"
#include "addon/errors.h"
#include "addon/state.h"

namespace edgepod {

namespace {

Channel* channel_of(const Napi::CallbackInfo& info) {
  AddonState& state = state_of(info.Env());
  auto const found = state.channels.find(info[0].ToNumber().Uint32Value());
  return found == state.channels.end() ? nullptr : found->second;
}

Napi::Value connect_channel(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  auto path = string_argument(info, 0, "path");
  if (!path) return env.Undefined();
  if (!info[1].IsFunction() || !info[2].IsFunction()) {
    Napi::TypeError::New(env, "onMessage and onClose must be functions").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto socket = connect_seqpacket(*path);
  if (!socket) return throw_error(env, socket.error());
  AddonState& state = state_of(env);
  uint32_t const handle = state.next_channel++;
  auto channel = std::make_unique<Channel>(&state, handle, std::move(*socket), info[1].As<Napi::Function>(),
                                           info[2].As<Napi::Function>());
  auto started = channel->start();
  if (!started) return throw_error(env, started.error());
  state.channels.emplace(handle, channel.release());
  return Napi::Number::New(env, handle);
}

Napi::Value send(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  Channel* channel = channel_of(info);
  if (channel == nullptr) return throw_error(env, Error{"shim-send", ENOTCONN, "connection is closed"});
  int fds[kFdsMax];
  size_t fd_count = 0;
  if (info[2].IsArray()) {
    Napi::Array const array = info[2].As<Napi::Array>();
    if (array.Length() > kFdsMax) return throw_error(env, input_error("shim-send", "too many fds", E2BIG));
    for (; fd_count < array.Length(); ++fd_count)
      fds[fd_count] = Napi::Value(array.Get(static_cast<uint32_t>(fd_count))).ToNumber().Int32Value();
  }
  Result<Ok> sent = Ok{};
  if (info[1].IsBuffer()) {
    auto const buffer = info[1].As<Napi::Buffer<unsigned char>>();
    sent = channel->send(buffer.Data(), buffer.Length(), fds, fd_count);
  } else {
    std::string const text = info[1].ToString().Utf8Value();
    sent = channel->send(text.data(), text.size(), fds, fd_count);
  }
  return sent ? env.Undefined() : throw_error(env, sent.error());
}

Napi::Value close_channel(const Napi::CallbackInfo& info) {
  if (Channel* channel = channel_of(info)) channel->close();
  return info.Env().Undefined();
}

template <bool kRef>
Napi::Value set_ref(const Napi::CallbackInfo& info) {
  if (Channel* channel = channel_of(info)) channel->set_ref(kRef);
  return info.Env().Undefined();
}

}  // namespace

void export_seqpacket(Napi::Env env, Napi::Object exports) {
  exports.Set("connect", Napi::Function::New(env, connect_channel, "connect"));
  exports.Set("send", Napi::Function::New(env, send, "send"));
  exports.Set("close", Napi::Function::New(env, close_channel, "close"));
  exports.Set("ref", Napi::Function::New(env, set_ref<true>, "ref"));
  exports.Set("unref", Napi::Function::New(env, set_ref<false>, "unref"));
}

void end_channels(AddonState* state) {
  while (!state->channels.empty()) state->channels.begin()->second->close();
}

}  // namespace edgepod
