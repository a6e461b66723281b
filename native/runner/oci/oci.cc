#include "runner/oci/oci.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "lib/json.h"
#include "lib/seal.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kUsage =
    "usage: edgepod-runner [--root DIR] [--log FILE] [--log-format text|json] COMMAND\n"
    "  run    [-b BUNDLE] [--pid-file FILE] [-d] ID     create and start, wait for the end unless -d\n"
    "  create [-b BUNDLE] [--pid-file FILE] ID          set up, stop before the program starts\n"
    "  start ID                                         start what create has set up\n"
    "  exec [--cwd DIR] [-e KEY=VALUE]... ID COMMAND... run one more program in a container\n"
    "  state ID | kill [-a] ID [SIGNAL] | delete [-f] ID\n"
    "  features | --version\n"
    "  shim --dir DIR --pause PATH                      the process of a pod (started by the agent)\n";

struct Command {
  const char* name;
  Result<int> (*run)(const OciOptions&);
  bool seals;  // starts a process in a container
};
constexpr Command kCommands[] = {
    {"create", oci_create, true},  {"run", oci_run, true},
    {"exec", oci_exec, true},      {"start", oci_start, false},
    {"state", oci_state, false},   {"kill", oci_kill, false},
    {"delete", oci_delete, false}, {"features", oci_features, false},
};

std::string message_of(const Error& error) {
  std::string text = std::string(error.step) + ": " + error.detail;
  if (error.err) text += (error.detail.empty() ? "" : ": ") + std::string(strerror(error.err));
  return text;
}

void complain(const OciOptions& options, const Error& error) {
  const std::string text = message_of(error);
  fprintf(stderr, "edgepod-runner: %s\n", text.c_str());
  if (options.log.empty()) return;
  UniqueFd file(open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  std::string line = text + "\n";
  if (options.log_json) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    writer.Key("level");
    writer.String("error");
    writer.Key("msg");
    writer.String(text.c_str());
    writer.EndObject();
    line = std::string(buffer.GetString()) + "\n";
  }
  if (file) (void)write_all(file.get(), line.data(), line.size(), "log");
}

// What a shell would say of a command that cannot be run.
int exit_status(const Error& error) {
  if (strcmp(error.step, "usage") == 0) return 2;
  if (strcmp(error.step, "exec") != 0) return 1;
  return error.err == ENOENT ? 127 : 126;
}

}  // namespace

bool seal_or_complain(char** argv) {
  auto sealed = seal_executable(argv);
  if (sealed) return true;
  fprintf(stderr, "edgepod-runner: %s\n", message_of(sealed.error()).c_str());
  printf("{\"error\":{\"step\":\"%s\",\"errno\":%d,\"detail\":\"\"}}\n", sealed.error().step,
         sealed.error().err);
  return false;
}

int oci_main(int argc, char** argv) {
  if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-v"))) {
    printf("edgepod-runner version " EDGEPOD_VERSION "\nspec: 1.2.0\n");
    return 0;
  }
  if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
    fputs(kUsage, argc < 2 ? stderr : stdout);
    return argc < 2 ? 2 : 0;
  }
  auto options = parse_oci_options(argc, argv);
  if (!options) {
    complain({}, options.error());
    fputs(kUsage, stderr);
    return 2;
  }
  for (const Command& command : kCommands) {
    if (options->command != command.name) continue;
    if (command.seals && !seal_or_complain(argv)) return 1;
    auto status = command.run(*options);
    if (status) return *status;
    complain(*options, status.error());
    return exit_status(status.error());
  }
  complain(*options, input_error("usage", "unknown command \"" + options->command + "\""));
  fputs(kUsage, stderr);
  return 2;
}

}  // namespace edgepod
