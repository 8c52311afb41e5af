// Who called whom in a guest that has been stopped, from its registers and its native stack.
//
// Guests are compiled without frame pointers; the artefact's table of functions (base/
// function_table.h) says for each place in the code how far above the stack pointer the return
// address lies. The walk runs on the host's stack after the guest has left its own, never in a
// signal handler. Table and stack are taken for hostile: each frame has to lie above the one before
// and inside the stack, so the walk ends, and nothing outside of both is read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/function_table.h"

namespace nur {

// Of a guest where it was stopped.
struct GuestRegisters {
  std::array<std::uint64_t, kDwarfGeneralRegisters> general{};  // numbered as in DWARF
  std::uint64_t program_counter = 0;
  std::uint64_t flags = 0;
  // The program counter is where a call will return to, and of the general registers only rsp and
  // rbp are known.
  bool in_call = false;
};

// The code that the table is of, as it was loaded.
struct GuestCode {
  const FunctionTable& functions;
  std::uintptr_t load_base = 0;
  std::uintptr_t text_begin = 0;
  std::uintptr_t text_end = 0;
};

// "parse_header <- handle_request <- poll_stream", innermost first, as a part of a log line: names
// are printable and short, a function that calls itself is "walk (x 5000)", and of a deep stack the
// middle is "... 312 more". Ends in "?" where the walk lost its way. Empty when nothing is known.
std::string backtrace_text(const GuestCode& code, const GuestRegisters& registers,
                           std::span<const std::byte> stack);

}  // namespace nur
