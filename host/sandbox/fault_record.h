// What brought a process down, kept where another process can read it.
#pragma once

#include <cstdint>

namespace nur {

struct FaultRecord {
  volatile std::int32_t signal = 0;        // 0: nothing is known
  volatile std::int32_t system_call = -1;  // of SIGSYS
  volatile std::uint64_t program_counter = 0;
  volatile std::uint64_t address = 0;  // that the fault was about
};

}  // namespace nur
