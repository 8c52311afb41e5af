// What a host offers to guests: functions by module and name.
#pragma once

#include <span>
#include <string_view>

#include "host/sandbox/host_function.h"

namespace nur {

struct HostModule {
  std::string_view name;
  HostFunction (*find)(std::string_view function);  // nullptr when there is none of that name
};

// What every nurhost offers: runtime/include/nur/imports.def.
std::span<const HostModule> standard_host_modules();

}  // namespace nur
