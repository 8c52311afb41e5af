// How large a module may be, part by part.
//
// The reader keeps views, not copies, so what it builds stays within a small multiple of the input;
// these limits bound what the tools behind it (wasm2c, the C compiler) make of it. Unless a comment
// says otherwise a number is the one that browser engines agreed on, so that a module that runs
// there is not refused here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nur {

struct ModuleLimits {
  // The largest known real modules (language interpreters with their libraries) have 16-30 MiB.
  std::size_t module_bytes = std::size_t{64} << 20;
  // Tighter than the engines' 1,000,000: wasm2c compares each with all before it. 20,000 take it 3
  // s, 100,000 more than 3 minutes.
  std::uint32_t types = 20'000;
  // Imported ones included.
  std::uint32_t functions = 1'000'000;
  std::uint32_t function_body_bytes = 7'654'321;
  // wasm2c recurses per block and indents its C by depth: 5,000 blocks make 75 MB of C, and 16,000
  // overflow its stack.
  std::uint32_t nesting = 1'000;
  // Tighter than the engines' 65,520: C compilers are slow on larger switches. The specification's
  // own tests have one of 16,149.
  std::uint32_t branch_table_targets = 20'000;
  // Per function, parameters included. Tighter than the engines' 50,000: each is a C variable, and
  // register allocation is worse than linear in them.
  std::uint32_t locals = 10'000;
  // Tighter than the engines' 1,000,000: 20,000 of them take a C compiler 11 s.
  std::uint32_t globals = 10'000;
  std::uint32_t tables = 100;
  // Per table, when it is made. Every instance has room for them from the start.
  std::uint32_t table_entries = 65'536;
  std::uint32_t data_segments = 100'000;
  // Tighter than the engines' 10,000,000: compilers write one per table.
  std::uint32_t element_segments = 10'000;
  // Per element segment: no table can hold more.
  std::uint32_t element_entries = 65'536;
  // Tighter than the engines' 100,000: fewer than a hundred are offered.
  std::uint32_t imports = 1'000;
  // Tighter than the engines' 100,000: each becomes an entry of the artefact.
  std::uint32_t exports = 10'000;
  std::uint32_t parameters = 1'000;
  std::uint32_t results = 1'000;
  // The whole 32-bit address space; an instance's own limit is the host's to set.
  std::uint32_t memory_pages = 65'536;
  // Values on the stack of one constant expression; compilers need two.
  std::uint32_t constant_operands = 1'000;
  // wasm2c nests them in one C expression; 200,000 overflow the stack of a C compiler.
  std::uint32_t constant_instructions = 10'000;
  // Initial linear memory in whole pages of 4 KiB: a segment of one byte makes one page. Half of
  // what an artefact may have (base/artefact_file.h).
  std::uint64_t image_bytes = std::uint64_t{256} << 20;
};

}  // namespace nur
