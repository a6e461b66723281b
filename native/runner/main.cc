// edgepod-runner: one static binary, the shim of a pod or an OCI runtime, by its first argument.
#include <cstring>

#include "runner/oci/oci.h"
#include "runner/shim/shim.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "shim") == 0) {
    if (!edgepod::seal_or_complain(argv)) return 1;
    return edgepod::shim_main(argc - 1, argv + 1);
  }
  return edgepod::oci_main(argc, argv);
}
