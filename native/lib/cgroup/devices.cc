#include "lib/cgroup/devices.h"

#include <fcntl.h>
#include <unistd.h>

namespace edgepod {

std::vector<DeviceRule> with_default_devices(const std::vector<DeviceRule>& rules) {
  // mknod of anything is harmless while opening it is refused: image builders and package managers in
  // containers expect it to work (it still needs CAP_MKNOD).
  static constexpr DeviceRule kDefaults[] = {
      {true, 'c', -1, -1, false, false, true},
      {true, 'b', -1, -1, false, false, true},
      {true, 'c', 1, 3},     // null
      {true, 'c', 1, 8},     // random
      {true, 'c', 1, 7},     // full
      {true, 'c', 5, 0},     // tty
      {true, 'c', 1, 5},     // zero
      {true, 'c', 1, 9},     // urandom
      {true, 'c', 5, 1},     // console
      {true, 'c', 136, -1},  // pts/*
      {true, 'c', 5, 2},     // ptmx
      {true, 'c', 10, 200},  // net/tun
  };
  std::vector<DeviceRule> all = rules;
  all.insert(all.end(), std::begin(kDefaults), std::end(kDefaults));
  return all;
}

std::string device_rule_line(const DeviceRule& rule) {
  auto number = [](int64_t value) { return value < 0 ? std::string("*") : std::to_string(value); };
  std::string line(1, rule.type);
  line += " " + number(rule.major) + ":" + number(rule.minor) + " ";
  if (rule.read) line += 'r';
  if (rule.write) line += 'w';
  if (rule.mknod) line += 'm';
  return line;
}

Result<Ok> v1_set_devices(int root_fd, const std::string& path, const std::vector<DeviceRule>& rules) {
  UniqueFd files[2];  // [allow]; one open each, one write per rule, as the kernel wants it
  for (int allow = 0; allow < 2; ++allow) {
    std::string name = path + (allow ? "/devices.allow" : "/devices.deny");
    files[allow].reset(openat(root_fd, name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!files[allow]) return errno_error("cgroup-devices", name);
  }
  for (const DeviceRule& rule : rules) {
    // "a" clears the list, whatever else the line says; that is meant only for a rule about all devices.
    std::string line = device_rule_line(rule);
    if (::write(files[rule.allow].get(), line.data(), line.size()) < 0) {
      return errno_error("cgroup-devices", path + (rule.allow ? ": allow " : ": deny ") + line);
    }
  }
  return Ok{};
}

}  // namespace edgepod
