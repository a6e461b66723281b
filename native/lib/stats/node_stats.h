// Figures of the whole node from /proc: memory, CPU time, load, pressure and network counters.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace edgepod {

// Order of the node's figures; read by position in src/runtime/stats.ts.
enum NodeField : size_t {
  kMemTotal,  // bytes, as all memory figures here
  kMemAvailable,
  kMemFree,
  kMemCached,
  kSwapTotal,
  kSwapFree,
  kCpuBusy,   // seconds since boot, all CPUs, without idle and iowait
  kCpuTotal,  // seconds since boot, all CPUs
  kLoad1,
  kLoad5,
  kLoad15,
  kUptime,           // seconds
  kMemPressureSome,  // PSI avg10, per cent; kUnknown without PSI
  kMemPressureFull,
  kCpuPressureSome,
  kIoPressureSome,
  kIoPressureFull,
  kNetReceived,  // bytes, every interface but lo and the named links
  kNetSent,
  kNodeFieldCount,
};

// Order of one named link's counters.
enum LinkField : size_t { kLinkReceived, kLinkReceivedPackets, kLinkSent, kLinkSentPackets, kLinkFieldCount };

// Fills kNodeFieldCount figures and kLinkFieldCount per entry of `links`, in that order. A link that is not
// there has kUnknown counters. `proc`: "/proc" outside of tests.
void read_node(const std::string& proc, const std::vector<std::string>& links, double* node,
               double* counters);

}  // namespace edgepod
