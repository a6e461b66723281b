// Compiled programs on disk. Internal to lib/seccomp. Everything here may fail without harm: a cache that
// cannot be used only costs the time to compile.
#pragma once

#include <optional>
#include <string>

#include "lib/fd.h"
#include "lib/seccomp.h"
#include "lib/seccomp_hash.h"

namespace edgepod {

// What the program depends on: profile, architecture, library version, format of the cache.
Digest256 seccomp_cache_key(const JsonValue& profile);

class SeccompCache {
 public:
  // `directory` is made (0700) if its parent exists. A directory others may write to is not used.
  explicit SeccompCache(const char* directory);

  // The stored program, or nothing if absent, truncated, altered, or not written by this user.
  std::optional<SeccompProgram> load(const Digest256& key) const;
  // Written under a temporary name, then renamed: readers see all of it or nothing. Mode 0600.
  void store(const Digest256& key, const SeccompProgram& program) const;

 private:
  UniqueFd directory_;
};

}  // namespace edgepod
