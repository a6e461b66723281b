#include "lib/probe/location.h"

#include <strings.h>

#include <vector>

namespace edgepod {

namespace {

constexpr size_t kLocationMax = 4096;

bool starts_with_nocase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

bool has_scheme(std::string_view text) {
  size_t const colon = text.find_first_of(":/?#");
  return colon != std::string_view::npos && colon > 0 && text[colon] == ':';
}

// "host", "host:port", "[v6]:port"; false when it is none of these. Port 0 where none is given.
bool split_authority(std::string_view authority, std::string* host, uint16_t* port) {
  size_t const user = authority.rfind('@');
  if (user != std::string_view::npos) authority.remove_prefix(user + 1);
  std::string_view rest;
  if (authority.starts_with("[")) {
    size_t const end = authority.find(']');
    if (end == std::string_view::npos) return false;
    *host = authority.substr(1, end - 1);
    rest = authority.substr(end + 1);
  } else {
    size_t const colon = authority.find(':');
    *host = authority.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
  }
  *port = 0;
  if (rest.empty() || rest == ":") return !host->empty();
  if (rest[0] != ':' || rest.size() > 6) return false;
  uint32_t number = 0;
  for (char const c : rest.substr(1)) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  *port = static_cast<uint16_t>(number);
  return number > 0 && number <= 65535 && !host->empty();
}

// RFC 3986 §5.2.4, for an absolute path with its query.
std::string without_dots(std::string_view path) {
  size_t const query = path.find('?');
  std::string_view rest = path.substr(0, query);
  std::vector<std::string_view> parts;
  bool directory = false;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    size_t const slash = rest.find('/');
    std::string_view const part = rest.substr(0, slash);
    directory = part.empty() || part == "." || part == "..";
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (part != "." && !(part.empty() && slash == std::string_view::npos)) {
      parts.push_back(part);
    }
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  }
  std::string result;
  for (std::string_view const part : parts) result.append("/").append(part);
  if (directory || result.empty()) result += '/';
  if (query != std::string_view::npos) result += path.substr(query);
  return result;
}

}  // namespace

LocationKind resolve_location(std::string_view location, const std::string& host, uint16_t port,
                              const std::string& path, Redirect* redirect) {
  if (location.empty() || location.size() > kLocationMax) return LocationKind::kInvalid;
  location = location.substr(0, location.find('#'));
  *redirect = Redirect{port, {}, {}};
  bool https = false;
  if (has_scheme(location)) {
    https = starts_with_nocase(location, "https://");
    if (!https && !starts_with_nocase(location, "http://")) return LocationKind::kInvalid;
    location.remove_prefix(https ? 6 : 5);
  }
  if (location.starts_with("//")) {
    location.remove_prefix(2);
    size_t const end = location.find_first_of("/?");
    std::string_view const authority = location.substr(0, end);
    std::string named;
    if (!split_authority(authority, &named, &redirect->port)) return LocationKind::kInvalid;
    if (redirect->port == 0) redirect->port = https ? 443 : 80;
    if (strcasecmp(named.c_str(), host.c_str()) != 0) return LocationKind::kOtherHost;
    if (https) return LocationKind::kHttps;
    redirect->authority = redirect->port == 80
                              ? (host.find(':') == std::string::npos ? host : "[" + host + "]")
                              : host_and_port(host, redirect->port);
    location = end == std::string_view::npos ? std::string_view() : location.substr(end);
    redirect->path =
        without_dots(location.starts_with("/") ? std::string(location) : "/" + std::string(location));
    return LocationKind::kSameHost;
  }
  std::string_view const base = std::string_view(path).substr(0, path.find_first_of("?#"));
  if (location.empty() || location[0] == '?') {
    redirect->path = std::string(base) + std::string(location);
  } else if (location[0] == '/') {
    redirect->path = without_dots(location);
  } else {
    size_t const slash = base.rfind('/');
    std::string_view const directory = slash == std::string_view::npos ? "/" : base.substr(0, slash + 1);
    redirect->path = without_dots(std::string(directory) + std::string(location));
  }
  return LocationKind::kSameHost;
}

}  // namespace edgepod
