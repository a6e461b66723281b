// What the kernel tells everybody who listens: links and packet filter rules that were taken away.
#pragma once

#include <linux/netlink.h>

#include <string>

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct Notice {
  enum class Kind { kLink, kTable };
  Kind kind = Kind::kLink;
  std::string name;  // of the link, or of the table that was removed or lost chains or rules
};

// Non-blocking sockets subscribed to these notices, in the calling thread's network namespace.
Result<UniqueFd> watch_links();
Result<UniqueFd> watch_tables();

// Reads one message of either socket; false for one that is about something else, or is cut short.
bool link_notice(const nlmsghdr* message, Notice* out);
bool table_notice(const nlmsghdr* message, Notice* out);

}  // namespace edgepod
