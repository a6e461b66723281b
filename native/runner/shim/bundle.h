// A container's OCI bundle below the pod's directory.
#pragma once

#include <string>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spec.h"

namespace edgepod {

// Opens "bundles/<name>" (see valid_bundle_path) below `pod_dir`, following no symbolic link.
Result<UniqueFd> open_bundle(int pod_dir, const std::string& path);

// Reads and parses the bundle's config.json, at most 1 MiB.
Result<Spec> load_bundle_spec(int bundle);

}  // namespace edgepod
