// What a handle module has that can be called, and where its imports come from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/manifest.h"
#include "base/result.h"

namespace nur {

class HandleEntries {
 public:
  // Errors: invalid_input when there is no function () -> () to call.
  static Result<HandleEntries> find(const Manifest& manifest);

  // The export of type () -> () called `name`.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;
  // The one that a request means which names none: `handle`, the one called like the function, or
  // the only one.
  [[nodiscard]] std::optional<std::uint32_t> choose(std::string_view function) const;
  // "bonjour, hello".
  [[nodiscard]] std::string names() const;

  // `_initialize`, to be called before anything else.
  [[nodiscard]] std::optional<std::uint32_t> initialize() const { return initialize_; }

  // Whether the import is WASI's, and not one of `env`.
  [[nodiscard]] bool is_wasi(std::uint32_t import) const { return wasi_imports_[import]; }
  [[nodiscard]] bool uses_wasi() const { return uses_wasi_; }

 private:
  std::map<std::string, std::uint32_t, std::less<>> functions_;
  std::optional<std::uint32_t> initialize_;
  std::vector<bool> wasi_imports_;
  bool uses_wasi_ = false;
};

}  // namespace nur
