// The request of an HTTP probe.
#pragma once

#include <string>

#include "lib/probe/target.h"

namespace edgepod {

// One GET over HTTP/1.1, connection not kept. `authority` is the Host header unless the probe sets one.
// Refuses header names that are no tokens and values with line ends. Error step "probe-request".
Result<std::string> http_request(const HttpTarget& target, const std::string& path,
                                 const std::string& authority);

// The value of the header, or nullptr; names compare without case.
const std::string* find_header(const HttpTarget& target, const char* name);

}  // namespace edgepod
