// One registration function per file; the JavaScript signatures are in src/runtime/native.ts.
#pragma once

#include "addon/napi_system.h"

namespace edgepod {

void export_spawn(Napi::Env env, Napi::Object exports);
void export_stats(Napi::Env env, Napi::Object exports);
void export_network(Napi::Env env, Napi::Object exports);
void export_mounts(Napi::Env env, Napi::Object exports);
void export_cgroup(Napi::Env env, Napi::Object exports);
void export_probes(Napi::Env env, Napi::Object exports);
void export_tree(Napi::Env env, Napi::Object exports);
void export_system(Napi::Env env, Napi::Object exports);

}  // namespace edgepod
