// The shim's own log, DIR/shim.log: what it decided by itself and what went wrong. Bounded.
#pragma once

#include "lib/result.h"

namespace edgepod {

// Makes `fd` (opened for appending) the standard error and the place of all notes.
void open_notes(int fd);

// One line with the time. When the file has reached 64 KiB it begins anew: the latest is what matters.
void note(const char* text);
void note(const char* text, const Error& error);

}  // namespace edgepod
