// The sections of the OCI configuration, each parsed by one function (internal to the parser of spec.h).
#pragma once

#include "lib/spec.h"

namespace edgepod {

void parse_process(JsonReader& reader, SpecProcess& process);
void parse_linux(JsonReader& reader, Spec& spec);

// The number of a capability name ("CAP_CHOWN"), or -1 when unknown.
int capability_number(std::string_view name);
// The name of a capability number, or null beyond the last one known.
const char* capability_name(int number);
// The RLIMIT_* value of a name ("RLIMIT_NOFILE"), or -1 when unknown.
int rlimit_number(std::string_view name);

}  // namespace edgepod
