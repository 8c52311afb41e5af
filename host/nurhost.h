// The whole program but for what it offers to guests.
#pragma once

#include <span>

#include "host/serve/host_module.h"

namespace nur {

// What main returns.
int nurhost(int argc, const char* const* argv, std::span<const HostModule> offered);

}  // namespace nur
