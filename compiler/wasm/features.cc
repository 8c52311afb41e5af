#include "compiler/wasm/features.h"

namespace nur {

std::string_view to_string(Feature feature) {
  switch (feature) {
    case Feature::mutable_globals:
      return "mutable globals";
    case Feature::saturating_float_to_int:
      return "saturating float-to-int";
    case Feature::sign_extension:
      return "sign extension";
    case Feature::multi_value:
      return "multi-value";
    case Feature::bulk_memory:
      return "bulk memory";
    case Feature::reference_types:
      return "reference types";
    case Feature::simd:
      return "SIMD";
    case Feature::extended_const:
      return "extended constant expressions";
    case Feature::memory64:
      return "memory64";
    case Feature::tail_calls:
      return "tail calls";
    case Feature::threads:
      return "threads";
    case Feature::exceptions:
      return "exceptions";
    case Feature::multi_memory:
      return "multi-memory";
    case Feature::garbage_collection:
      return "garbage collection";
    case Feature::typed_function_references:
      return "typed function references";
    case Feature::relaxed_simd:
      return "relaxed SIMD";
    case Feature::custom_page_sizes:
      return "custom page sizes";
    case Feature::wide_arithmetic:
      return "wide arithmetic";
    case Feature::count:
      break;
  }
  return "?";
}

std::unexpected<Error> refuse_feature(Feature feature, std::string_view construct,
                                      std::size_t offset) {
  return fail(ErrorKind::invalid_input, "uses {} ({} at offset {:#x}), which nur does not run",
              to_string(feature), construct, offset);
}

}  // namespace nur
