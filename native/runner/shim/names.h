// What may name a container and its bundle: text that becomes a path component, a cgroup and a file name.
#pragma once

#include <string_view>

namespace edgepod {

// RFC 1123 label, as Kubernetes names containers: 1..63 of [a-z0-9-], alphanumeric at both ends.
bool valid_container_name(std::string_view name);

// "bundles/<component>", the component 1..100 of [A-Za-z0-9._-] and not "." or "..".
bool valid_bundle_path(std::string_view path);

}  // namespace edgepod
