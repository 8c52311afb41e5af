// The host functions of WASI preview 1 by name.
#pragma once

#include <string_view>

#include "host/sandbox/host_function.h"

namespace nur {

// The function that serves `wasi_snapshot_preview1.name`; nullptr when preview 1 has none of that
// name. Its context is a WasiProcess*, which serves one guest from one thread.
HostFunction find_wasi_function(std::string_view name);

}  // namespace nur
