// Seccomp: an OCI `linux.seccomp` object becomes a classic BPF program, once per profile (cached on disk),
// and is loaded into the calling process.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "lib/json.h"
#include "lib/result.h"

namespace edgepod {

struct SeccompProgram {
  std::vector<sock_filter> filter;
  uint32_t flags = 0;          // SECCOMP_FILTER_FLAG_*
  uint32_t unknown_names = 0;  // system call names libseccomp does not know on any architecture; left out
  bool cached = false;         // came from the cache
};

// Compiles `profile`, or takes the program from `cache_dir` (nullptr: no cache). Cache files are named by
// the SHA-256 of profile, architecture and library version; written atomically, mode 0600; one that does not
// verify is ignored and rewritten. EINVAL with the member's path for a malformed profile; SCMP_ACT_NOTIFY is
// refused.
Result<SeccompProgram> seccomp_program(const JsonValue& profile, const char* cache_dir);

// The same, with the compilation in a short-lived child: libseccomp needs about a megabyte of heap, which
// a long-lived process would keep. A hit in the cache needs no child. The caller must not have other
// threads, and SIGCHLD must not be reaped for the child by someone else (waits by pid).
Result<SeccompProgram> seccomp_program_isolated(const JsonValue& profile, const char* cache_dir);

// Loads the program into the calling thread; with no_new_privs, sets that first (needed without
// CAP_SYS_ADMIN). Allocates nothing, so it may run in a child between clone and exec.
Result<Ok> seccomp_load(const SeccompProgram& program, bool no_new_privs);

}  // namespace edgepod
