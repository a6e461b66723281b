// Where a Location header leads, seen from the request that got it.
#pragma once

#include <string>
#include <string_view>

#include "lib/probe/exchange.h"

namespace edgepod {

enum class LocationKind {
  kSameHost,   // `redirect` says where
  kOtherHost,  // not followed: the container has answered
  kHttps,      // the same host, by TLS
  kInvalid,
};

// `host` and `port` are where the probe connects to, `path` what was asked there.
LocationKind resolve_location(std::string_view location, const std::string& host, uint16_t port,
                              const std::string& path, Redirect* redirect);

}  // namespace edgepod
