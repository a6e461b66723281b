// `edgepod-runner shim --dir DIR --pause PATH`: the process of one pod. It makes the sandbox, is the parent
// of every container, keeps their logs and exits, and serves the agent on DIR/shim.sock (see protocol.h).
#pragma once

namespace edgepod {

// argv[0] is "shim". Returns in the foreground process only: 0 once the sandbox runs and the socket listens;
// 1 after printing {"error":{"step","errno","code","detail"}} on stdout, with nothing left behind; 2 for a
// wrong command line.
int shim_main(int argc, char** argv);

}  // namespace edgepod
