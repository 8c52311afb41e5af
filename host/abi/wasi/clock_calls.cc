// Reading the clocks.
#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/guest_access.h"
#include "host/abi/wasi/guest_time.h"

namespace nur::wasi {

Done clock_res_get(WasiProcess& process, const GuestMemory& memory, std::uint32_t id,
                   Pointer resolution) {
  NUR_TRY(check_room<std::uint64_t>(memory, resolution));
  NUR_TRY(exact_time_ns(process, id));
  return write_guest(memory, resolution,
                     static_cast<std::uint64_t>(process.clock_resolution().count()));
}

Done clock_time_get(WasiProcess& process, const GuestMemory& memory, std::uint32_t id,
                    std::uint64_t /*precision*/, Pointer time) {
  NUR_TRY(check_room<std::uint64_t>(memory, time));
  const std::uint64_t exact = NUR_TRY(exact_time_ns(process, id));
  const auto resolution = static_cast<std::uint64_t>(process.clock_resolution().count());
  return write_guest(memory, time, exact - exact % resolution);
}

}  // namespace nur::wasi
