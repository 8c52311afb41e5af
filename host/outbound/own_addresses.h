// The addresses of this machine's interfaces. A public one among them leads to what listens here,
// which "every public host" does not mean.
#pragma once

#include <vector>

#include "base/result.h"
#include "host/outbound/ip_address.h"

namespace nur {

// Of all interfaces, now. Those that a router translates to this machine's are not known here.
// Errors: internal.
Result<std::vector<IpAddress>> own_addresses();

}  // namespace nur
