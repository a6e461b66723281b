// node-addon-api as a system header: its inline code does not meet our warning level (-Wshadow -Werror).
#pragma once
#pragma GCC system_header
#include <napi.h>
