#include "compiler/wasm/opcodes.h"

#include <algorithm>
#include <array>

namespace nur {
namespace {

constexpr std::array<Instruction, 256> plain_instructions() {
  std::array<Instruction, 256> table{};
  const auto set = [&table](unsigned first, unsigned last, Immediate immediate,
                            std::optional<Feature> feature = std::nullopt) {
    for (unsigned opcode = first; opcode <= last; ++opcode) {
      table[opcode] = {immediate, 0, feature};
    }
  };
  set(0x00, 0x01, Immediate::none);  // unreachable, nop
  set(0x02, 0x03, Immediate::block);
  set(0x04, 0x04, Immediate::if_);
  set(0x05, 0x05, Immediate::else_);
  set(0x0b, 0x0b, Immediate::end);
  set(0x0c, 0x0d, Immediate::label);
  set(0x0e, 0x0e, Immediate::label_table);
  set(0x0f, 0x0f, Immediate::none);  // return
  set(0x10, 0x10, Immediate::function);
  set(0x11, 0x11, Immediate::indirect_call);
  set(0x1a, 0x1b, Immediate::none);  // drop, select
  set(0x1c, 0x1c, Immediate::select_types, Feature::reference_types);
  set(0x20, 0x22, Immediate::local);
  set(0x23, 0x24, Immediate::global);
  set(0x25, 0x26, Immediate::table, Feature::reference_types);
  set(0x28, 0x3e, Immediate::memory_access);
  set(0x3f, 0x40, Immediate::memory);
  set(0x41, 0x41, Immediate::i32);
  set(0x42, 0x42, Immediate::i64);
  set(0x43, 0x43, Immediate::bytes4);
  set(0x44, 0x44, Immediate::bytes8);
  set(0x45, 0xbf, Immediate::none);  // numeric
  set(0xc0, 0xc4, Immediate::none, Feature::sign_extension);
  set(0xd0, 0xd0, Immediate::heap_type, Feature::reference_types);
  set(0xd1, 0xd1, Immediate::none, Feature::reference_types);  // ref.is_null
  set(0xd2, 0xd2, Immediate::function_reference, Feature::reference_types);
  set(0xfc, 0xfc, Immediate::bulk_prefix);
  set(0xfd, 0xfd, Immediate::vector_prefix, Feature::simd);
  return table;
}

constexpr std::array<Instruction, 18> kBulkInstructions{{
    {Immediate::none, 0, Feature::saturating_float_to_int},  // 0
    {Immediate::none, 0, Feature::saturating_float_to_int},
    {Immediate::none, 0, Feature::saturating_float_to_int},
    {Immediate::none, 0, Feature::saturating_float_to_int},
    {Immediate::none, 0, Feature::saturating_float_to_int},
    {Immediate::none, 0, Feature::saturating_float_to_int},
    {Immediate::none, 0, Feature::saturating_float_to_int},
    {Immediate::none, 0, Feature::saturating_float_to_int},
    {Immediate::data_memory, 0, Feature::bulk_memory},  // 8
    {Immediate::data, 0, Feature::bulk_memory},
    {Immediate::memory_memory, 0, Feature::bulk_memory},
    {Immediate::memory, 0, Feature::bulk_memory},  // memory.fill
    {Immediate::element_table, 0, Feature::bulk_memory},
    {Immediate::element, 0, Feature::bulk_memory},
    {Immediate::table_table, 0, Feature::bulk_memory},
    {Immediate::table, 0, Feature::reference_types},  // table.grow
    {Immediate::table, 0, Feature::reference_types},  // table.size
    {Immediate::table, 0, Feature::reference_types},  // table.fill
}};

constexpr std::array<Instruction, 256> vector_instructions() {
  std::array<Instruction, 256> table{};
  const auto set = [&table](unsigned first, unsigned last, Immediate immediate,
                            std::uint8_t lanes = 0) {
    for (unsigned opcode = first; opcode <= last; ++opcode) table[opcode] = {immediate, lanes, {}};
  };
  set(0x00, 0x0b, Immediate::memory_access);
  set(0x0c, 0x0c, Immediate::bytes16);
  set(0x0d, 0x0d, Immediate::shuffle, 32);
  set(0x0e, 0x14, Immediate::none);
  set(0x15, 0x17, Immediate::lane, 16);
  set(0x18, 0x1a, Immediate::lane, 8);
  set(0x1b, 0x1c, Immediate::lane, 4);
  set(0x1d, 0x1e, Immediate::lane, 2);
  set(0x1f, 0x20, Immediate::lane, 4);
  set(0x21, 0x22, Immediate::lane, 2);
  set(0x23, 0x53, Immediate::none);
  for (const unsigned first : {0x54U, 0x58U}) {  // load lane, store lane
    set(first, first, Immediate::memory_access_lane, 16);
    set(first + 1, first + 1, Immediate::memory_access_lane, 8);
    set(first + 2, first + 2, Immediate::memory_access_lane, 4);
    set(first + 3, first + 3, Immediate::memory_access_lane, 2);
  }
  set(0x5c, 0x5d, Immediate::memory_access);
  set(0x5e, 0xff, Immediate::none);
  for (const unsigned unassigned : {0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb,
                                    0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee}) {
    table[unassigned] = {};
  }
  return table;
}

constexpr std::array<Instruction, 256> kPlainInstructions = plain_instructions();
constexpr std::array<Instruction, 256> kVectorInstructions = vector_instructions();

struct RefusedOpcode {
  std::uint8_t opcode;
  RefusedInstruction refused;
};

constexpr RefusedOpcode kRefused[] = {
    {0x06, {Feature::exceptions, "try"}},
    {0x07, {Feature::exceptions, "catch"}},
    {0x08, {Feature::exceptions, "throw"}},
    {0x09, {Feature::exceptions, "rethrow"}},
    {0x0a, {Feature::exceptions, "throw_ref"}},
    {0x12, {Feature::tail_calls, "return_call"}},
    {0x13, {Feature::tail_calls, "return_call_indirect"}},
    {0x14, {Feature::typed_function_references, "call_ref"}},
    {0x15, {Feature::tail_calls, "return_call_ref"}},
    {0x18, {Feature::exceptions, "delegate"}},
    {0x19, {Feature::exceptions, "catch_all"}},
    {0x1f, {Feature::exceptions, "try_table"}},
    {0xd3, {Feature::garbage_collection, "ref.eq"}},
    {0xd4, {Feature::typed_function_references, "ref.as_non_null"}},
    {0xd5, {Feature::typed_function_references, "br_on_null"}},
    {0xd6, {Feature::typed_function_references, "br_on_non_null"}},
    {0xfb, {Feature::garbage_collection, "opcode 0xfb"}},
    {0xfe, {Feature::threads, "atomic opcode 0xfe"}},
};

constexpr std::string_view kWideArithmetic[] = {"i64.add128", "i64.sub128", "i64.mul_wide_s",
                                                "i64.mul_wide_u"};
constexpr std::uint32_t kWideArithmeticFirst = 19;

}  // namespace

Instruction instruction(std::uint8_t opcode) { return kPlainInstructions[opcode]; }

Instruction bulk_instruction(std::uint32_t opcode) {
  return opcode < kBulkInstructions.size() ? kBulkInstructions[opcode] : Instruction{};
}

Instruction vector_instruction(std::uint32_t opcode) {
  return opcode < kVectorInstructions.size() ? kVectorInstructions[opcode] : Instruction{};
}

std::optional<RefusedInstruction> refused_instruction(std::uint8_t opcode) {
  const auto* found = std::find_if(std::begin(kRefused), std::end(kRefused),
                                   [=](const auto& entry) { return entry.opcode == opcode; });
  if (found == std::end(kRefused)) return std::nullopt;
  return found->refused;
}

std::optional<RefusedInstruction> refused_bulk_instruction(std::uint32_t opcode) {
  if (opcode < kWideArithmeticFirst ||
      opcode - kWideArithmeticFirst >= std::size(kWideArithmetic)) {
    return std::nullopt;
  }
  return RefusedInstruction{Feature::wide_arithmetic,
                            kWideArithmetic[opcode - kWideArithmeticFirst]};
}

std::optional<RefusedInstruction> refused_vector_instruction(std::uint32_t opcode) {
  if (opcode < kVectorInstructions.size()) return std::nullopt;
  return RefusedInstruction{Feature::relaxed_simd, "opcode 0xfd with a second one above 0xff"};
}

}  // namespace nur
