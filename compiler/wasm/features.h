// What a module uses of WebAssembly, by the names of the proposals that brought it.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace nur {

enum class Feature : std::uint8_t {
  // WebAssembly 2.0 and extended-const: run.
  mutable_globals,
  saturating_float_to_int,
  sign_extension,
  multi_value,
  bulk_memory,
  reference_types,
  simd,
  extended_const,
  // Refused: not translated by wasm2c, off there by default, or known to be translated wrongly.
  memory64,
  tail_calls,
  threads,
  exceptions,
  multi_memory,
  garbage_collection,
  typed_function_references,
  relaxed_simd,
  custom_page_sizes,
  wide_arithmetic,
  count,
};

// "tail calls", "memory64".
std::string_view to_string(Feature feature);

class FeatureSet {
 public:
  void add(Feature feature) { bits_.set(static_cast<std::size_t>(feature)); }
  [[nodiscard]] bool has(Feature feature) const {
    return bits_.test(static_cast<std::size_t>(feature));
  }
  bool operator==(const FeatureSet&) const = default;

 private:
  std::bitset<static_cast<std::size_t>(Feature::count)> bits_;
};

// "uses tail calls (return_call at offset 0x1a3), which nur does not run".
std::unexpected<Error> refuse_feature(Feature feature, std::string_view construct,
                                      std::size_t offset);

}  // namespace nur
