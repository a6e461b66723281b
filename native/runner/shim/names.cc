#include "runner/shim/names.h"

namespace edgepod {
namespace {

bool lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool valid_container_name(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  for (char c : name) {
    if (!lower_alnum(c) && c != '-') return false;
  }
  return lower_alnum(name.front()) && lower_alnum(name.back());
}

bool valid_bundle_path(std::string_view path) {
  constexpr std::string_view kParent = "bundles/";
  if (path.substr(0, kParent.size()) != kParent) return false;
  path.remove_prefix(kParent.size());
  if (path.empty() || path.size() > 100 || path == "." || path == "..") return false;
  for (char c : path) {
    if (!lower_alnum(c) && !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace edgepod
