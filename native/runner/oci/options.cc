#include <string_view>

#include "runner/oci/oci.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "usage";

class Arguments {
 public:
  Arguments(int argc, char** argv) : argc_(argc), argv_(argv) {}
  bool more() const { return at_ < argc_; }
  std::string_view peek() const { return argv_[at_]; }
  std::string_view next() { return argv_[at_++]; }

  // Takes "--name VALUE" or "--name=VALUE".
  bool value(std::string_view name, std::string& out) {
    const std::string_view argument = peek();
    if (argument == name && at_ + 1 < argc_) {
      out = argv_[at_ + 1];
      at_ += 2;
      return true;
    }
    if (name.substr(0, 2) != "--" || argument.size() <= name.size() ||
        argument.substr(0, name.size()) != name || argument[name.size()] != '=')
      return false;
    out = argument.substr(name.size() + 1);
    at_++;
    return true;
  }
  bool flag(std::string_view name) {
    if (peek() != name) return false;
    at_++;
    return true;
  }
  bool is_option() const { return more() && peek().size() > 1 && peek()[0] == '-'; }

 private:
  const int argc_;
  char** const argv_;
  int at_ = 1;
};

Error refused(std::string_view option, const char* why) {
  return input_error(kStep, std::string(option) + ": " + why, ENOTSUP);
}

Result<Ok> global_option(Arguments& arguments, OciOptions& out) {
  std::string format, ignored;
  if (arguments.value("--root", out.root) || arguments.value("--log", out.log)) return Ok{};
  if (arguments.value("--log-format", format)) {
    out.log_json = format == "json";
    return Ok{};
  }
  if (arguments.value("--cgroup-manager", ignored)) {
    if (ignored != "cgroupfs") return refused("--cgroup-manager", "only cgroupfs is supported");
    return Ok{};
  }
  if (arguments.flag("--systemd-cgroup")) return refused("--systemd-cgroup", "cgroups are managed directly");
  if (arguments.flag("--debug") || arguments.value("--rootless", ignored)) return Ok{};
  return refused(arguments.peek(), "unknown option");
}

Result<Ok> command_option(Arguments& arguments, OciOptions& out) {
  std::string text;
  if (arguments.value("--bundle", out.bundle) || arguments.value("-b", out.bundle)) return Ok{};
  if (arguments.value("--pid-file", out.pid_file) || arguments.value("--cwd", out.cwd)) return Ok{};
  if (arguments.value("--env", text) || arguments.value("-e", text)) {
    out.env.push_back(text);
    return Ok{};
  }
  if (arguments.flag("--all") || arguments.flag("-a")) {
    out.all = true;
  } else if (arguments.flag("--force") || arguments.flag("-f")) {
    out.force = true;
  } else if (arguments.flag("--detach") || arguments.flag("-d")) {
    out.detach = true;
  } else if (arguments.value("--console-socket", text) || arguments.flag("--tty") || arguments.flag("-t")) {
    return refused("--console-socket", "terminals are not supported");
  } else if (arguments.flag("--no-pivot")) {
    // MS_MOVE and chroot would leave the host's procfs mountable (T-18).
    return refused("--no-pivot", "is not supported: it would expose the host's /proc");
  } else if (arguments.value("--preserve-fds", text)) {
    if (text != "0")
      return refused("--preserve-fds", "is not supported: containers get descriptors 0 to 2 only");
  } else if (!arguments.flag("--no-new-keyring")) {
    return refused(arguments.peek(), "unknown option");
  }
  return Ok{};
}

// The identifier becomes a directory and a cgroup name.
Result<Ok> check_id(const std::string& id) {
  const bool dots = id == "." || id == "..";
  for (const char c : id) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && c != '_' && c != '+' && c != '-' && c != '.')
      return input_error(kStep, "container id: has characters outside [A-Za-z0-9_+.-]");
  }
  if (id.empty() || dots || id.size() > 200)
    return input_error(kStep, "container id: must have 1 to 200 characters");
  return Ok{};
}

}  // namespace

Result<OciOptions> parse_oci_options(int argc, char** argv) {
  Arguments arguments(argc, argv);
  OciOptions out;
  while (arguments.is_option()) EDGEPOD_TRY(global_option(arguments, out));
  if (!arguments.more()) return input_error(kStep, "a command is required");
  out.command = arguments.next();
  if (out.command == "features") return out;
  while (arguments.is_option()) EDGEPOD_TRY(command_option(arguments, out));
  if (!arguments.more()) return input_error(kStep, out.command + ": a container id is required");
  out.id = arguments.next();
  EDGEPOD_TRY(check_id(out.id));
  if (out.command == "exec") {
    while (arguments.more()) out.args.emplace_back(arguments.next());
    if (out.args.empty()) return input_error(kStep, "exec: a command is required");
  } else if (out.command == "kill") {
    if (arguments.more() && !arguments.is_option()) out.signal = arguments.next();
    while (arguments.is_option()) EDGEPOD_TRY(command_option(arguments, out));
  }
  if (arguments.more())
    return input_error(kStep, "unexpected argument \"" + std::string(arguments.next()) + "\"");
  return out;
}

}  // namespace edgepod
