// Whatever arrives on the shim's socket: parsed, or refused with an answer that is itself valid JSON.
#include <cstdlib>
#include <string_view>

#include "lib/json.h"
#include "runner/shim/messages.h"
#include "runner/shim/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgepod;
  ParsedRequest request = parse_request({reinterpret_cast<const char*>(data), size});
  if (!request.body && !parse_json(error_message(request.id, request.body.error()))) std::abort();
  if (!request.body) return 0;
  // Labels are stored and given back unparsed: they must be JSON.
  auto* start = std::get_if<StartRequest>(&request.body.value());
  if (start != nullptr && !parse_json(start->labels)) std::abort();
  return 0;
}
