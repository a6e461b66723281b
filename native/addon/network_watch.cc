#include "addon/network_watch.h"

#include <sys/socket.h>
#include <uv.h>

#include <vector>

#include "addon/errors.h"
#include "addon/state.h"
#include "lib/netlink/notice.h"

namespace edgepod {

namespace {

constexpr size_t kReadSize = 32768;
// Reads per wake-up: a storm of notices must not keep the event loop from everything else.
constexpr int kBurst = 16;

using Parse = bool (*)(const nlmsghdr*, Notice*);

}  // namespace

// One subscribed socket on the event loop. It keeps no process alive.
class NetworkWatch {
 public:
  NetworkWatch(AddonState* state, UniqueFd socket, Parse parse, Napi::Function on_removed)
      : state_(state),
        socket_(std::move(socket)),
        parse_(parse),
        on_removed_(Napi::Persistent(on_removed)),
        buffer_(kReadSize / sizeof(nlmsghdr)) {}

  Result<Ok> start() {
    int const error = uv_poll_init(state_->loop, &poll_, socket_.get());
    if (error != 0) return Error{"netlink-watch", -error, "uv_poll_init"};
    poll_.data = this;
    state_->open_handles += 1;
    state_->network_watches.push_back(this);
    uv_poll_start(&poll_, UV_READABLE, &NetworkWatch::on_ready);
    uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
    return Ok{};
  }

  // Frees the watch after libuv let go of it.
  void close() {
    std::erase(state_->network_watches, this);
    on_removed_.Reset();
    uv_poll_stop(&poll_);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
      auto* self = static_cast<NetworkWatch*>(handle->data);
      AddonState* state = self->state_;
      delete self;
      handle_closed(state);
    });
  }

 private:
  static void on_ready(uv_poll_t* poll, int, int) {
    auto* self = static_cast<NetworkWatch*>(poll->data);
    Napi::HandleScope const scope(self->state_->env);
    std::vector<Notice> const notices = self->receive();
    // The callback may stop the watch: nothing of it is touched afterwards.
    AddonState& state = *self->state_;
    Napi::Function const callback = self->on_removed_.Value();
    for (const Notice& notice : notices) {
      const char* kind = notice.kind == Notice::Kind::kLink ? "link" : "table";
      call_js(state, callback,
              {Napi::String::New(state.env, kind), Napi::String::New(state.env, notice.name)});
    }
  }

  std::vector<Notice> receive() {
    std::vector<Notice> notices;
    for (int count = 0; count < kBurst; ++count) {
      sockaddr_nl from = {};
      socklen_t from_size = sizeof from;
      ssize_t const size = recvfrom(socket_.get(), buffer_.data(), kReadSize, 0,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) {
        // Notices were dropped because we were slow: anything may be gone.
        if (errno == ENOBUFS) {
          notices.push_back({Notice::Kind::kTable, "*"});
          continue;
        }
        break;
      }
      if (from.nl_pid != 0) continue;  // only the kernel is believed
      auto left = static_cast<unsigned>(size);
      for (const nlmsghdr* message = buffer_.data(); NLMSG_OK(message, left);
           message = NLMSG_NEXT(message, left)) {
        Notice notice;
        if (parse_(message, &notice)) notices.push_back(std::move(notice));
      }
    }
    return notices;
  }

  AddonState* state_;
  UniqueFd socket_;
  Parse parse_;
  Napi::FunctionReference on_removed_;
  std::vector<nlmsghdr> buffer_;  // aligned
  uv_poll_t poll_ = {};
};

namespace {

Result<Ok> watch(AddonState& state, Result<UniqueFd> socket, Parse parse, Napi::Function on_removed) {
  if (!socket) return socket.error();
  auto opened = std::make_unique<NetworkWatch>(&state, std::move(*socket), parse, on_removed);
  auto started = opened->start();
  if (started) opened.release();  // its own close() frees it
  return started;
}

Napi::Value watch_network(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  if (!info[0].IsFunction()) {
    Napi::TypeError::New(env, "onRemoved must be a function").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  AddonState& state = state_of(env);
  end_network_watch(&state);  // one listener an environment
  Napi::Function const on_removed = info[0].As<Napi::Function>();
  auto links = watch(state, watch_links(), &link_notice, on_removed);
  if (!links) return throw_error(env, links.error());
  // A kernel without nftables has no rules to lose.
  auto tables = watch(state, watch_tables(), &table_notice, on_removed);
  if (!tables && tables.error().err != EPROTONOSUPPORT && tables.error().err != ENOENT) {
    end_network_watch(&state);
    return throw_error(env, tables.error());
  }
  return Napi::Function::New(
      env, [](const Napi::CallbackInfo& call) { end_network_watch(&state_of(call.Env())); });
}

}  // namespace

void end_network_watch(AddonState* state) {
  while (!state->network_watches.empty()) state->network_watches.back()->close();
}

void export_network_watch(Napi::Env env, Napi::Object exports) {
  exports.Set("watchNetwork", Napi::Function::New(env, watch_network, "watchNetwork"));
}

}  // namespace edgepod
