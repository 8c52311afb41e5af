// Cuts the C of a module into units that are compiled side by side, each in bounded time and
// memory.
//
// wasm2c is asked for C in several files, because functions then have linkage that lets them be
// moved: a header that all units include, and files of definitions. Those are taken apart here and
// put together anew:
//
//   small module    one unit with everything, in which all but the exports is static
//   others          one unit of tables, types and exports; the functions in order, cut into units
//   of
//                   about the same size; every large function in a unit of its own
//
// What only its own unit refers to becomes static again, so that the compiler may inline it away.
// Where one unit ends depends on nearby functions only, so that a change of one function changes
// one unit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nur {

// What wasm2c wrote with --num-outputs.
struct GeneratedC {
  std::string header;                // m-impl.h, edited
  std::vector<std::string> sources;  // m_0.c, m_1.c, ...
};

// How hard the compiler tries. Its time and memory grow faster than the function: at -O2 one of
// 64 KiB of WebAssembly takes 2.4 s, one of 256 KiB 24 s, one of 734 KiB more than 96 s.
enum class Effort {
  full,     // the level that was asked for
  reduced,  // -O1 at most
  least,    // -O0: time and memory linear in the function, code several times as large
};

// One compilation unit, as pieces of text that live as long as what it was cut from.
struct CUnit {
  std::vector<std::string_view> pieces;
  std::uint64_t bytes = 0;
  Effort effort = Effort::full;
};

struct CUnits {
  std::string header;  // without prototypes of functions; each unit declares those it needs
  std::vector<CUnit> units;
};

// Sizes in bytes of C; one byte of WebAssembly code becomes 11 to 14.
struct CutOptions {
  std::uint64_t whole_bytes_max = 512 << 10;  // up to here a module stays in one unit
  // Half a unit more or less. Within these bounds a module becomes eight units or some more: by a
  // power of two, so that a small change of the module leaves it as it is.
  std::uint64_t unit_bytes_min = 256 << 10;
  std::uint64_t unit_bytes_max = 1 << 20;
  std::uint64_t large_function_bytes = 640 << 10;
  std::uint64_t huge_function_bytes = 4 << 20;
};

// The pieces point into `generated` and into literals.
// Errors: internal when the text is not what wasm2c 1.0.36 writes.
Result<CUnits> cut_into_units(const GeneratedC& generated, const CutOptions& options = {});

}  // namespace nur
