// One request of an HTTP probe and its response.
#pragma once

#include <memory>

#include "lib/probe/exchange.h"
#include "lib/probe/http_response.h"

namespace edgepod {

class HttpExchange : public Exchange {
 public:
  // `authority` overrides the Host header of `target` after a redirect that names one.
  static Result<std::unique_ptr<Exchange>> create(const ProbeTarget& target, const std::string& path,
                                                  const std::string& authority);

  ProbeStep receive(std::string_view bytes) override;
  ProbeStep ended() override;
  const char* waiting_for() const override;

 private:
  HttpExchange(const ProbeTarget& target, std::string path, std::string request);

  ProbeStep judge(HttpResponse::State state);
  ProbeStep follow();

  std::string host_;
  uint16_t port_;
  std::string path_;
  bool any_status_;
  HttpResponse response_;
};

}  // namespace edgepod
