#include "lib/probe/http_exchange.h"

#include "lib/probe/http_request.h"
#include "lib/probe/location.h"

namespace edgepod {

std::string printable(std::string_view text, size_t max) {
  std::string result;
  for (char const c : text.substr(0, max)) result += c >= ' ' && c < 0x7f ? c : '?';
  return result;
}

HttpExchange::HttpExchange(const ProbeTarget& target, std::string path, std::string request)
    : host_(target.host),
      port_(target.port),
      path_(std::move(path)),
      any_status_(std::get<HttpTarget>(target.kind).any_status) {
  output_ = std::move(request);
}

Result<std::unique_ptr<Exchange>> HttpExchange::create(const ProbeTarget& target, const std::string& path,
                                                       const std::string& authority) {
  const auto& http = std::get<HttpTarget>(target.kind);
  const std::string* own = find_header(http, "Host");
  std::string host = authority;
  if (host.empty()) host = own != nullptr && !own->empty() ? *own : host_and_port(target.host, target.port);
  auto request = http_request(http, path, host);
  if (!request) return std::move(request.error());
  return std::unique_ptr<Exchange>(new HttpExchange(target, path, std::move(*request)));
}

ProbeStep HttpExchange::follow() {
  Redirect redirect;
  switch (resolve_location(response_.location(), host_, port_, path_, &redirect)) {
    case LocationKind::kSameHost:
      return {{}, std::move(redirect)};
    case LocationKind::kHttps:
      return {ProbeAnswer{ProbeOutcome::kHandover, "redirected to https"}, {}};
    case LocationKind::kOtherHost:
      // The container has answered; another host's health is not its own.
      return succeeded("Probe terminated redirects, Location: " + printable(response_.location(), 200));
    case LocationKind::kInvalid:
      break;
  }
  return failed("redirected to nowhere: '" + printable(response_.location(), 200) + "'");
}

ProbeStep HttpExchange::judge(HttpResponse::State state) {
  if (state == HttpResponse::State::kBroken)
    return failed("Get \"http://" + host_and_port(host_, port_) + printable(path_, 200) +
                  "\": " + response_.problem());
  if (state != HttpResponse::State::kComplete) return more();
  int const status = response_.status();
  bool const redirects = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (redirects && !response_.location().empty()) return follow();
  if (any_status_ || (status >= 200 && status < 400)) return succeeded("HTTP " + std::to_string(status));
  return failed("HTTP probe failed with statuscode: " + std::to_string(status));
}

ProbeStep HttpExchange::receive(std::string_view bytes) { return judge(response_.receive(bytes)); }
ProbeStep HttpExchange::ended() { return judge(response_.ended()); }
const char* HttpExchange::waiting_for() const { return response_.status() == 0 ? "headers" : "the body"; }

}  // namespace edgepod
