// How a child tells its parent why it could not become the container. The pipe closes at execve: end of file
// without a message is success.
#pragma once

#include "lib/fd.h"
#include "lib/result.h"

namespace edgepod {

struct ErrorPipe {
  UniqueFd read_end, write_end;

  static Result<ErrorPipe> create();
};

// Child side. `fd` is the write end. Never returns an error: there is nobody else to tell.
void report_failure(int fd, const Error& error);
void report_ready(int fd);

// Parent side: waits for the end of the child's set-up. The write end must be closed here before.
// Errors are the child's own. One that died without a word is told apart from an executed one by its exit
// status only.
enum class ChildOutcome { Executed, Ready };
Result<ChildOutcome> wait_for_child(int fd);

// Child side: the parent holds no read end any more, i.e. it is dead. Works across PID namespaces, where
// getppid() does not.
bool parent_is_gone(int fd);

}  // namespace edgepod
