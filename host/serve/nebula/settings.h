// How Nebula's routes behave (routes.h). From `[nebula]` of nur.toml, or the defaults.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/file.h"

namespace nur {

// Largest input of each function; its input is read as a whole number then, what is none as 0.
using InputClamps = std::map<std::string, std::uint64_t, std::less<>>;

// Nebula's own, of its release builds.
inline const InputClamps& nebula_clamps() {
  static const InputClamps clamps = {{"exponential", 500'000},
                                     {"factorial", 500'000},
                                     {"fibonacci", 500'000},
                                     {"fibonacci-recursive", 40},
                                     {"prime-number", 500'000}};
  return clamps;
}

struct NebulaSettings {
  bool routes = true;
  // Its routes come before functions of the same names; otherwise behind them.
  bool first = false;
  InputClamps clamps = nebula_clamps();
  // Whether calls of forms are kept for /api/results, where everybody sees their inputs and
  // results.
  bool history = true;
  // Folder that keeps the history; it lasts as long as the host without one.
  std::optional<Path> data;
};

}  // namespace nur
