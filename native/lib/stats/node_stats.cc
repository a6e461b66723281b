#include "lib/stats/node_stats.h"

#include <algorithm>

#include "lib/stats/figures.h"
#include "lib/stats/read_file.h"

namespace edgepod {

namespace {

constexpr size_t kBuffer = 16384;

// Walks blank-separated fields of one line.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  double next() {
    size_t const start = rest_.find_first_not_of(" \t");
    if (start == std::string_view::npos) return kUnknown;
    rest_.remove_prefix(start);
    size_t const end = std::min(rest_.find_first_of(" \t\n"), rest_.size());
    double const value = parse_number(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return value;
  }

 private:
  std::string_view rest_;
};

void read_memory(std::string_view text, double* out) {
  auto bytes = [&](const char* key) { return number_after(text, key) * 1024; };
  out[kMemTotal] = bytes("MemTotal:");
  out[kMemAvailable] = bytes("MemAvailable:");
  out[kMemFree] = bytes("MemFree:");
  out[kMemCached] = bytes("Cached:");
  out[kSwapTotal] = bytes("SwapTotal:");
  out[kSwapFree] = bytes("SwapFree:");
}

// "cpu  user nice system idle iowait irq softirq steal …"; guest time is already part of user.
void read_cpu(std::string_view text, double* out) {
  if (!text.starts_with("cpu ")) return;
  Fields fields(text.substr(4));
  double total = 0;
  double idle = 0;
  for (int position = 0; position < 8; ++position) {
    double const ticks = fields.next();
    if (ticks != ticks) break;
    total += ticks;
    if (position == 3 || position == 4) idle += ticks;
  }
  auto const rate = static_cast<double>(sysconf(_SC_CLK_TCK));
  out[kCpuTotal] = total / rate;
  out[kCpuBusy] = (total - idle) / rate;
}

void read_links(std::string_view text, const std::vector<std::string>& links, double* node,
                double* counters) {
  node[kNetReceived] = 0;
  node[kNetSent] = 0;
  while (!text.empty()) {
    size_t const end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    size_t const colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // the two heading lines
    std::string_view name = line.substr(0, colon);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));

    Fields fields(line.substr(colon + 1));
    double values[10];
    for (double& value : values)
      value = fields.next();  // bytes packets errs drop fifo frame compressed multicast | bytes packets
    auto const found = std::find(links.begin(), links.end(), name);
    if (found != links.end()) {
      double* out = counters + static_cast<size_t>(found - links.begin()) * kLinkFieldCount;
      out[kLinkReceived] = values[0];
      out[kLinkReceivedPackets] = values[1];
      out[kLinkSent] = values[8];
      out[kLinkSentPackets] = values[9];
    } else if (name != "lo") {
      node[kNetReceived] += values[0];
      node[kNetSent] += values[8];
    }
  }
}

}  // namespace

void read_node(const std::string& proc, const std::vector<std::string>& links, double* node,
               double* counters) {
  std::fill(node, node + kNodeFieldCount, kUnknown);
  std::fill(counters, counters + links.size() * kLinkFieldCount, kUnknown);
  UniqueFd const dir(open(proc.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return;
  char buffer[kBuffer];
  auto file = [&](const char* name) { return read_small(dir.get(), name, buffer, sizeof buffer); };

  read_memory(file("meminfo"), node);
  read_cpu(file("stat"), node);
  Fields load(file("loadavg"));
  node[kLoad1] = load.next();
  node[kLoad5] = load.next();
  node[kLoad15] = load.next();
  node[kUptime] = parse_number(file("uptime"));
  std::string_view text = file("pressure/memory");
  node[kMemPressureSome] = pressure_avg10(text, "some");
  node[kMemPressureFull] = pressure_avg10(text, "full");
  node[kCpuPressureSome] = pressure_avg10(file("pressure/cpu"), "some");
  text = file("pressure/io");
  node[kIoPressureSome] = pressure_avg10(text, "some");
  node[kIoPressureFull] = pressure_avg10(text, "full");
  read_links(read_records(dir.get(), "net/dev", buffer, sizeof buffer), links, node, counters);
}

}  // namespace edgepod
