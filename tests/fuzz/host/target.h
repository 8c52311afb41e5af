// What the fuzz targets of this folder share.
//
// Each target is one libFuzzer program (LLVM documentation, "libFuzzer"): it is called with bytes
// that the fuzzer finds interesting, and whatever it checks ends the process. Built by clang++ with
// AddressSanitizer and UndefinedBehaviorSanitizer, in a tree of its own (preset "fuzz").
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace nur::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Whether the target shall break what it checks, to show that the fuzzer finds it.
inline bool is_defect_planted() { return std::getenv("NUR_FUZZ_PLANT_DEFECT") != nullptr; }

// Takes the first byte off, for choices that are not part of the input proper.
inline std::uint8_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

}  // namespace nur::fuzz
