// What calls of `env` return when they cannot do what was asked for.
#pragma once

#include <cstdint>

namespace nur::handle {

enum class Failure : std::int32_t {
  absent = -1,    // or failed
  limit = -2,     // as many as may be are there already
  denied = -3,    // not granted to this function
  argument = -4,  // makes no sense
  timeout = -5,
};

constexpr std::int32_t number_of(Failure failure) { return static_cast<std::int32_t>(failure); }

}  // namespace nur::handle
