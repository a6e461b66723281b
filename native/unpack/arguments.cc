#include "unpack/arguments.h"

#include <charconv>
#include <cstring>

namespace edgepod {
namespace {

Error refuse(std::string why) { return input_error("arguments", std::move(why)); }

bool parse_number(std::string_view text, uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= INT64_MAX;
}

bool parse_command(std::string_view text, Command& out) {
  constexpr struct {
    const char* name;
    Command command;
  } kCommands[] = {{"layer", Command::Layer},
                   {"index", Command::Index},
                   {"plain", Command::Plain},
                   {"remove", Command::Remove},
                   {"lock", Command::Lock}};
  for (const auto& [name, command] : kCommands) {
    if (text != name) continue;
    out = command;
    return true;
  }
  return false;
}

Result<Ok> set_option(Arguments& out, std::string_view name, const std::string& value) {
  uint64_t number = 0;
  const bool is_number = parse_number(value, number);
  const auto need_number = [&](uint64_t& field) -> Result<Ok> {
    if (!is_number) return refuse(std::string(name) + " needs a number");
    field = number;
    return Ok{};
  };
  if (name == "--file") return out.file = value, Ok{};
  if (name == "--target" || name == "--dir") return out.target = value, Ok{};
  if (name == "--digest") return out.layer.blob_digest = value, Ok{};
  if (name == "--diff-id") return out.layer.diff_id = value, Ok{};
  if (name == "--max-bytes") return need_number(out.layer.limits.max_bytes);
  if (name == "--max-entries") return need_number(out.layer.max_entries);
  if (name == "--offset" || name == "--size") {
    if (!out.range) out.range.emplace();
    return need_number(name == "--size" ? out.range->size : out.range->offset);
  }
  if (name == "--devices") {
    if (value != "skip" && value != "create") return refuse("--devices is skip or create");
    out.layer.devices = value == "skip" ? DevicePolicy::Skip : DevicePolicy::Create;
    return Ok{};
  }
  return refuse("unknown option " + std::string(name));
}

Result<Ok> check(const Arguments& out) {
  const bool needs_target = out.command == Command::Layer || out.command == Command::Remove;
  if (needs_target && out.target.empty()) return refuse("--target DIR (remove: --dir DIR) is needed");
  if (out.command == Command::Remove && out.names.empty()) return refuse("nothing to remove");
  if (out.command != Command::Layer && !needs_target && out.file.empty()) return refuse("a FILE is needed");
  if (out.range && out.file.empty()) return refuse("--offset and --size need --file");
  for (const std::string& name : out.names)
    if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos)
      return refuse("names to remove are those of entries of the directory");
  return Ok{};
}

}  // namespace

Result<Arguments> parse_arguments(int argc, char** argv) {
  Arguments out;
  if (argc < 2 || !parse_command(argv[1], out.command))
    return refuse("usage: edgepod-unpack layer|index|plain|remove|lock …");
  for (int i = 2; i < argc; i++) {
    if (std::strncmp(argv[i], "--", 2) == 0) {
      if (i + 1 >= argc) return refuse(std::string(argv[i]) + " needs a value");
      EDGEPOD_TRY(set_option(out, argv[i], argv[i + 1]));
      i++;
    } else if (out.command == Command::Remove) {
      out.names.emplace_back(argv[i]);
    } else if (out.command != Command::Layer && out.file.empty()) {
      out.file = argv[i];
    } else {
      return refuse(std::string("unexpected argument ") + argv[i]);
    }
  }
  EDGEPOD_TRY(check(out));
  return out;
}

}  // namespace edgepod
