// The command line of edgepod-unpack.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/archive/extract.h"
#include "lib/result.h"

namespace edgepod {

enum class Command { Layer, Index, Plain, Remove, Lock };

struct Arguments {
  Command command = Command::Layer;
  std::string file;    // "" is stdin
  std::string target;  // directory written to
  std::optional<ByteRange> range;
  LayerOptions layer;
  std::vector<std::string> names;
};

// Strict: unknown options, missing values and numbers out of range are errors (step "arguments").
Result<Arguments> parse_arguments(int argc, char** argv);

}  // namespace edgepod
