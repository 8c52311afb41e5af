// The host functions of `env` by name.
#pragma once

#include <string_view>

#include "host/sandbox/host_function.h"

namespace nur {

// The function that serves `env.name`; nullptr when this host does not offer it. Its context is a
// HandleCall*.
HostFunction find_handle_function(std::string_view name);

}  // namespace nur
