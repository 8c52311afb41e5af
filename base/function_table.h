// Native code -> wasm function, and how to find its caller: the section .nur.functions of an
// artefact, which no segment loads (docs/artefact.md). nurc writes it; the host reads it when a
// guest has been stopped, and only then.
//
// For each place in the code a rule says where the frame of the function that runs there ends
// (its canonical frame address, CFA: the stack pointer before the call, as DWARF has it), and where
// the caller's frame pointer is. The return address always lies right below the CFA.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nur {

inline constexpr char kFunctionsSection[] = ".nur.functions";

// Longer names are cut when the table is written.
inline constexpr std::size_t kFunctionNameBytesMax = 256;

// Numbers of registers as the psABI gives them to DWARF (figure 3.36).
inline constexpr std::uint8_t kDwarfRbp = 6;
inline constexpr std::uint8_t kDwarfRsp = 7;
inline constexpr std::size_t kDwarfGeneralRegisters = 16;

struct FrameRule {
  enum class Cfa : std::uint8_t {
    unknown,          // the walk ends here
    register_offset,  // base + cfa_offset
    memory,           // the word at base + cfa_offset
  };
  enum class FramePointer : std::uint8_t {
    same,     // still the caller's
    at_cfa,   // the word at CFA + frame_pointer_offset
    at_base,  // the word at rbp + frame_pointer_offset
    unknown,
  };
  Cfa cfa = Cfa::unknown;
  std::uint8_t base = kDwarfRsp;  // a general register
  FramePointer frame_pointer = FramePointer::same;
  std::int32_t cfa_offset = 0;
  std::int32_t frame_pointer_offset = 0;

  auto operator<=>(const FrameRule&) const = default;
};

// A rule that holds from `offset` in a function to the next row's.
struct FrameRow {
  std::uint32_t offset = 0;
  FrameRule rule;
  bool operator==(const FrameRow&) const = default;
};

// One piece of native code: a function, or a part that the compiler split off.
struct NativeFunction {
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::uint64_t address = 0;         // relative to the load base; below 4 GiB
  std::uint64_t bytes = 0;           // below 4 GiB
  std::uint32_t wasm_index = kNone;  // kNone: the runtime's, walked through and never shown
  // Enters the function of this index, whose code may have become part of it or not.
  bool is_entry = false;
  std::string name;  // empty when the module does not say
  std::vector<FrameRow> rows;

  bool operator==(const NativeFunction&) const = default;
};

// The section's contents. Pieces are put in order; they must not overlap.
std::string encode_function_table(std::vector<NativeFunction> functions);

// A view of such a section. The lengths are checked when it is made, everything else when it is
// looked at, so nothing is decoded that nobody asks for, and whatever the bytes are, nothing
// outside of them is read.
class FunctionTable {
 public:
  FunctionTable() = default;  // without functions
  // `section` outlives the table. Errors: invalid_input.
  static Result<FunctionTable> read(std::string_view section);

  struct Entry {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    std::uint32_t wasm_index = NativeFunction::kNone;
    bool is_entry = false;
    std::string_view name;
    std::uint32_t rows_at = 0;
  };
  // The piece of code at `address`.
  [[nodiscard]] std::optional<Entry> find(std::uint64_t address) const;

  // The rule at `address` inside `entry`; nullopt when there is none, or when it is not among the
  // first `rows_left` rows. Takes what it reads off `rows_left`.
  [[nodiscard]] std::optional<FrameRule> rule_at(const Entry& entry, std::uint64_t address,
                                                 std::uint64_t& rows_left) const;

  [[nodiscard]] std::uint32_t size() const { return count_; }
  [[nodiscard]] Entry entry(std::uint32_t i) const;  // i < size()
  // How many wasm functions it tells about.
  [[nodiscard]] std::size_t wasm_functions() const;

 private:
  std::uint32_t count_ = 0;
  std::uint32_t rule_count_ = 0;
  std::string_view entries_;
  std::string_view rules_;
  std::string_view names_;
  std::string_view rows_;
};

}  // namespace nur
