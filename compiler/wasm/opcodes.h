// Which immediates follow each instruction (specification 5.4), and which instructions are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "compiler/wasm/features.h"

namespace nur {

// What follows an opcode, or what the opcode itself is when that matters to nesting.
enum class Immediate : std::uint8_t {
  unknown,  // no such instruction, or a refused one
  none,
  block,  // block and loop: a block type
  if_,    // a block type
  else_,
  end,
  label,
  label_table,
  function,
  indirect_call,  // type, table
  select_types,
  local,
  global,
  table,
  memory_access,       // alignment, offset
  memory,              // a memory index
  i32,                 // signed LEB128
  i64,                 // signed LEB128
  bytes4,              // f32.const
  bytes8,              // f64.const
  bytes16,             // v128.const
  heap_type,           // ref.null
  function_reference,  // ref.func
  bulk_prefix,         // 0xfc and a second opcode
  vector_prefix,       // 0xfd and a second opcode
  data_memory,         // memory.init
  data,                // data.drop
  memory_memory,       // memory.copy
  element_table,       // table.init
  element,             // elem.drop
  table_table,         // table.copy
  shuffle,             // 16 lane numbers below 32
  lane,                // one lane number
  memory_access_lane,  // alignment, offset, lane number
};

struct Instruction {
  Immediate immediate = Immediate::unknown;
  std::uint8_t lanes = 0;                         // lane numbers are below it
  std::optional<Feature> feature = std::nullopt;  // that brought it, when it is not of version 1
};

Instruction instruction(std::uint8_t opcode);
Instruction bulk_instruction(std::uint32_t opcode);    // after 0xfc
Instruction vector_instruction(std::uint32_t opcode);  // after 0xfd

// An instruction of a feature that nur does not run.
struct RefusedInstruction {
  Feature feature;
  std::string_view name;
};
std::optional<RefusedInstruction> refused_instruction(std::uint8_t opcode);
std::optional<RefusedInstruction> refused_bulk_instruction(std::uint32_t opcode);
std::optional<RefusedInstruction> refused_vector_instruction(std::uint32_t opcode);

}  // namespace nur
