// What a form of Nebula's asks for (POST /api/wasm and its like).
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "host/net/http_message.h"

namespace nur {

struct NebulaForm {
  std::string function_name;
  std::string input;
  enum class Runner : std::uint8_t { wasm, docker };
  Runner runner = Runner::wasm;
  std::uint8_t calls = 1;
  std::string base_image = "debian";
};

// Fields that it does not know are looked over. Otherwise the answer to give: 415 for a body that
// says it is something else, 422 for a field that is missing, there twice, or not as it must be.
std::expected<NebulaForm, Response> parse_nebula_form(const Request& request);

}  // namespace nur
