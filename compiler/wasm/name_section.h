// The custom section "name": what a module's author called it and its functions
// (specification 7.4).
//
// It changes nothing about what the module does, so a malformed one is as good as none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace nur {

struct ModuleNames {
  std::string_view module;
  // By function index, ascending; indices the module does not have are left out.
  std::vector<std::pair<std::uint32_t, std::string_view>> functions;
};

// Nothing but empty names when `payload`, the section behind its own name, is malformed.
ModuleNames read_names(std::string_view payload, std::size_t function_count);

}  // namespace nur
