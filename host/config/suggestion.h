// "Did you mean": the known name that somebody probably meant by an unknown one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nur {

// What other programs call the same thing.
struct Synonym {
  std::string_view name;
  std::string_view meant;
};

// The synonym's meaning, or the name of `known` that is spelled most like `name`, if one is similar
// enough: one letter in three may be wrong, missing, too many, or in the other's place.
std::optional<std::string> did_you_mean(std::string_view name,
                                        std::span<const std::string_view> known,
                                        std::span<const Synonym> synonyms = {});

}  // namespace nur
