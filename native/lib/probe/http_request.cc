#include "lib/probe/http_request.h"

#include <strings.h>

#include <cstring>
#include <string_view>

namespace edgepod {

namespace {

constexpr size_t kRequestMax = 64 * 1024;

bool is_token(std::string_view name) {
  if (name.empty()) return false;
  for (unsigned char const c : name)
    if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c) != nullptr) return false;
  return true;
}

bool is_value(std::string_view value) {
  for (unsigned char const c : value)
    if ((c < ' ' && c != '\t') || c == 0x7f) return false;
  return true;
}

// Framing is ours: a probe that could set these could smuggle a second request past the first.
bool is_ours(const std::string& name) {
  for (const char* own : {"Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Host"})
    if (strcasecmp(name.c_str(), own) == 0) return true;
  return false;
}

// A request line ends at the first space: what cannot stand in it is percent-encoded, a fragment is not sent.
std::string encoded(std::string_view path) {
  std::string result = path.empty() || path[0] != '/' ? "/" : "";
  for (unsigned char const c : path.substr(0, path.find('#'))) {
    if (c > ' ' && c < 0x7f) {
      result += static_cast<char>(c);
    } else {
      const char* digits = "0123456789ABCDEF";
      result += '%';
      result += digits[c >> 4];
      result += digits[c & 15];
    }
  }
  return result;
}

}  // namespace

const std::string* find_header(const HttpTarget& target, const char* name) {
  for (const auto& [key, value] : target.headers)
    if (strcasecmp(key.c_str(), name) == 0) return &value;
  return nullptr;
}

Result<std::string> http_request(const HttpTarget& target, const std::string& path,
                                 const std::string& authority) {
  std::string request = "GET " + encoded(path) + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (find_header(target, "User-Agent") == nullptr) request += "User-Agent: " + target.user_agent + "\r\n";
  if (find_header(target, "Accept") == nullptr) request += "Accept: */*\r\n";
  for (const auto& [name, value] : target.headers) {
    if (!is_token(name)) return input_error("probe-request", "'" + name + "' is not a header name");
    if (!is_value(value)) return input_error("probe-request", "header " + name + " has a control character");
    // An empty value of these two means: do not send it.
    bool const unset = value.empty() && (strcasecmp(name.c_str(), "Accept") == 0 ||
                                         strcasecmp(name.c_str(), "User-Agent") == 0);
    if (!unset && !is_ours(name)) request += name + ": " + value + "\r\n";
  }
  request += "Connection: close\r\n\r\n";
  if (!is_value(authority)) return input_error("probe-request", "header Host has a control character");
  if (request.size() > kRequestMax) return input_error("probe-request", "request over 64 KiB", E2BIG);
  return request;
}

}  // namespace edgepod
