// Tells JavaScript of links and nftables tables that were removed behind our back:
//   watchNetwork(onRemoved(kind, name)) → stop()
#pragma once

#include "addon/napi_system.h"

namespace edgepod {

struct AddonState;

void export_network_watch(Napi::Env env, Napi::Object exports);
void end_network_watch(AddonState* state);  // for the environment's end

}  // namespace edgepod
