// What a container answers its probes: HTTP, a Location, gRPC; whole and in small pieces, with the same
// result.
#include <cstdlib>

#include "lib/probe/grpc_exchange.h"
#include "lib/probe/http_exchange.h"

namespace {

using namespace edgepod;

std::optional<ProbeOutcome> outcome(Exchange& exchange, std::string_view bytes, size_t piece) {
  ProbeStep step;
  for (size_t at = 0; at < bytes.size() && !step.done(); at += piece)
    step = exchange.receive(bytes.substr(at, piece));
  if (!step.done()) step = exchange.ended();
  if (!step.done()) std::abort();
  if (step.redirect && (step.redirect->port == 0 || step.redirect->path.empty())) std::abort();
  if (!step.answer) return std::nullopt;
  for (char const c : step.answer->message)
    if (c < ' ' || c > '~') std::abort();
  return step.answer->outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view const bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool const http = data[0] % 2 == 0;
  size_t const piece = data[0] / 2 + size_t{1};
  ProbeTarget const target = {"10.0.0.1", 80,
                              http ? decltype(ProbeTarget::kind)(HttpTarget{"/a/b?c", {}, "u"})
                                   : decltype(ProbeTarget::kind)(GrpcTarget{"s", "u"})};
  auto make = [&] {
    return http ? HttpExchange::create(target, "/a/b?c", "") : GrpcExchange::create(target);
  };
  if (outcome(**make(), bytes, piece) != outcome(**make(), bytes, bytes.size() + 1)) std::abort();
  return 0;
}
