// What an engine did with a module, call by call, as text; and when two of them agree.
//
//   group
//   start | call NUMBER WORD...     what follows is its
//   log IMPORT WORD...              a call of an imported function
//   return WORD...                  how it ended: one of these four
//   trap TEXT
//   timeout
//   lost TEXT                       the engine itself ended
//   state PAGES SHA256 WORD...      after a return: memory and every global
//
// Words are those of plan.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nur::fuzz {

struct ObservedCall {
  enum class Ending { none, returned, trapped, timeout, lost };
  std::string what;  // "start", "call 3 i0000002a"
  std::vector<std::string> log;
  Ending ending = Ending::none;
  std::string detail;  // words, or the text of a trap
  std::string state;
};

struct Transcript {
  std::vector<std::vector<ObservedCall>> groups;
};

// Lines that are none of the above are part of no call.
Transcript parse_transcript(std::string_view text);

struct Comparison {
  std::string mismatch;  // the first one, for people; empty when there is none
  std::uint64_t calls = 0;
  std::uint64_t traps = 0;         // calls that trapped in both
  std::uint64_t incomparable = 0;  // groups that were left early, see below
};

// Stack overflow depends on the size of frames, which is an engine's own: from there on the rest of
// its group is not compared. The same holds when V8 takes too long or dies; nur must do neither.
// `tolerate_nans`: any NaN equals any other, in words of floats and lanes of vectors.
Comparison compare(const Transcript& nur, const Transcript& v8, bool tolerate_nans);

// Whether V8's message is what it says where nur traps with this text (sandbox/outcome.h). V8 does
// not tell some reasons apart that nur does, and the other way round:
//
//   "float unrepresentable in integer range"    integer overflow; invalid conversion (NaN)
//   "table index is out of bounds"              also an indirect call's
//   "divide by zero", "remainder by zero"       integer divide by zero
bool is_same_trap(std::string_view nur, std::string_view v8);

bool is_stack_overflow(std::string_view trap);

// Whether two words are the same value.
bool is_same_word(std::string_view a, std::string_view b, bool tolerate_nans);

}  // namespace nur::fuzz
