// Client side of an AF_UNIX SOCK_SEQPACKET connection on the environment's event loop, with file descriptors
// in both directions. JavaScript sees a number as the handle:
//   connect(path, onMessage(Buffer, fds: number[]), onClose(code: string | null)) → handle
//   send(handle, Buffer | string, fds?: number[])   throws; fds stay the caller's
//   close(handle) · ref(handle) · unref(handle)      unknown handles are ignored, so closing twice is fine
// Messages leave in the order of the calls; what the kernel does not take at once waits, at most kQueueBytes.
#pragma once

#include "addon/napi_system.h"

namespace edgepod {

struct AddonState;

void export_seqpacket(Napi::Env env, Napi::Object exports);
void end_channels(AddonState* state);

}  // namespace edgepod
