#include "tests/fuzz/compiler/transcript.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace nur::fuzz {
namespace {

using Ending = ObservedCall::Ending;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::uint64_t bits_of(std::string_view digits) {
  std::uint64_t bits = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  return bits;
}

bool is_nan(std::string_view digits) {
  const std::uint64_t bits = bits_of(digits);
  if (digits.size() == 8) return (bits & 0x7fffffff) > 0x7f800000;
  return (bits & 0x7fffffffffffffff) > 0x7ff0000000000000;
}

// Lanes of so many digits each; either equal, or NaN on both sides.
bool lanes_agree(std::string_view a, std::string_view b, std::size_t digits) {
  for (std::size_t at = 0; at < a.size(); at += digits) {
    const std::string_view x = a.substr(at, digits);
    const std::string_view y = b.substr(at, digits);
    if (x != y && !(is_nan(x) && is_nan(y))) return false;
  }
  return true;
}

bool is_same_line(std::string_view a, std::string_view b, bool tolerate_nans) {
  if (a == b) return true;
  while (!a.empty() || !b.empty()) {
    if (!is_same_word(take_word(a), take_word(b), tolerate_nans)) return false;
  }
  return true;
}

std::string ending_of(const ObservedCall& call) {
  switch (call.ending) {
    case Ending::none:
      return "did not end";
    case Ending::returned:
      return "returned " + call.detail;
    case Ending::trapped:
      return "trapped: " + call.detail;
    case Ending::timeout:
      return "ran out of time";
    case Ending::lost:
      return "lost: " + call.detail;
  }
  return "";
}

// Empty when the two calls agree.
std::string difference(const ObservedCall& nur, const ObservedCall& v8, bool tolerate_nans) {
  const auto differ = [](std::string_view what, std::string_view a, std::string_view b) {
    return fmt::format("{}: nur {} / v8 {}", what, a, b);
  };
  const bool same_ending =
      nur.ending == v8.ending &&
      (nur.ending == Ending::trapped ? is_same_trap(nur.detail, v8.detail)
                                     : is_same_line(nur.detail, v8.detail, tolerate_nans));
  if (!same_ending || nur.ending == Ending::none || nur.ending == Ending::lost) {
    return differ("end", ending_of(nur), ending_of(v8));
  }
  for (std::size_t i = 0; i < std::max(nur.log.size(), v8.log.size()); ++i) {
    const std::string a = i < nur.log.size() ? nur.log[i] : "nothing";
    const std::string b = i < v8.log.size() ? v8.log[i] : "nothing";
    if (!is_same_line(a, b, tolerate_nans)) return differ(fmt::format("log {}", i), a, b);
  }
  if (nur.ending == Ending::returned && !is_same_line(nur.state, v8.state, tolerate_nans)) {
    return differ("state", nur.state, v8.state);
  }
  return "";
}

// Stopped because it took too long, or dead (it ran out of memory).
bool is_v8_gone(const ObservedCall& v8) {
  return v8.ending == Ending::timeout || v8.ending == Ending::lost;
}

bool cannot_be_compared(const ObservedCall& nur, const ObservedCall& v8) {
  return (nur.ending == Ending::trapped && is_stack_overflow(nur.detail)) ||
         (v8.ending == Ending::trapped && is_stack_overflow(v8.detail)) ||
         (is_v8_gone(v8) && nur.ending != Ending::lost);
}

}  // namespace

bool is_same_word(std::string_view a, std::string_view b, bool tolerate_nans) {
  if (a == b) return true;
  if (!tolerate_nans || a.size() != b.size() || a.empty() || a[0] != b[0]) return false;
  const char letter = a[0];
  a.remove_prefix(1);
  b.remove_prefix(1);
  if (letter == 'f' && a.size() == 8) return lanes_agree(a, b, 8);
  if (letter == 'F' && a.size() == 16) return lanes_agree(a, b, 16);
  if (letter == 'v' && a.size() == 32) return lanes_agree(a, b, 8) || lanes_agree(a, b, 16);
  return false;
}

bool is_stack_overflow(std::string_view trap) {
  return trap == "call stack exhausted" || trap.find("call stack size exceeded") != trap.npos;
}

bool is_same_trap(std::string_view nur, std::string_view v8) {
  struct Rule {
    std::string_view v8;   // the message begins with it
    std::string_view nur;  // and is this
  };
  constexpr Rule kRules[] = {
      {"unreachable", "unreachable"},
      {"divide by zero", "integer divide by zero"},
      {"remainder by zero", "integer divide by zero"},
      {"divide result unrepresentable", "integer overflow"},
      {"float unrepresentable in integer range", "integer overflow"},
      {"float unrepresentable in integer range", "invalid conversion to integer"},
      {"memory access out of bounds", "out of bounds memory access"},
      {"data segment", "out of bounds memory access"},
      {"element segment", "out of bounds table access"},
      {"table index is out of bounds", "out of bounds table access"},
      {"table index is out of bounds", "indirect call type mismatch"},
      {"table access out of bounds", "out of bounds table access"},
      {"table or", "out of bounds table access"},
      {"null function or function signature mismatch", "indirect call type mismatch"},
      {"dereferencing a null pointer", "indirect call type mismatch"},
  };
  return std::ranges::any_of(
      kRules, [&](const Rule& rule) { return v8.starts_with(rule.v8) && nur == rule.nur; });
}

Transcript parse_transcript(std::string_view text) {
  Transcript transcript;
  ObservedCall* call = nullptr;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    if (word == "group") {
      transcript.groups.emplace_back();
      call = nullptr;
      continue;
    }
    if (transcript.groups.empty()) continue;
    if (word == "start" || word == "call") {
      call = &transcript.groups.back().emplace_back();
      call->what = line;
      continue;
    }
    if (call == nullptr) continue;
    const auto end = [&](Ending ending) {
      call->ending = ending;
      call->detail = rest;
    };
    if (word == "log") call->log.emplace_back(rest);
    if (word == "return") end(Ending::returned);
    if (word == "trap") end(Ending::trapped);
    if (word == "timeout") end(Ending::timeout);
    if (word == "lost") end(Ending::lost);
    if (word == "state") call->state = rest;
  }
  return transcript;
}

Comparison compare(const Transcript& nur, const Transcript& v8, bool tolerate_nans) {
  Comparison result;
  const bool v8_is_gone =
      !v8.groups.empty() && !v8.groups.back().empty() && is_v8_gone(v8.groups.back().back());
  for (std::size_t g = 0; g < std::max(nur.groups.size(), v8.groups.size()); ++g) {
    if (g >= v8.groups.size() && v8_is_gone) break;
    const std::vector<ObservedCall> none;
    const auto& a = g < nur.groups.size() ? nur.groups[g] : none;
    const auto& b = g < v8.groups.size() ? v8.groups[g] : none;
    for (std::size_t c = 0; c < std::max(a.size(), b.size()); ++c) {
      const ObservedCall missing{"nothing", {}, Ending::none, "", ""};
      const ObservedCall& x = c < a.size() ? a[c] : missing;
      const ObservedCall& y = c < b.size() ? b[c] : missing;
      ++result.calls;
      if (x.what == y.what && cannot_be_compared(x, y)) {
        ++result.incomparable;
        break;
      }
      const std::string different = x.what == y.what
                                        ? difference(x, y, tolerate_nans)
                                        : fmt::format("nur {} / v8 {}", x.what, y.what);
      if (!different.empty()) {
        result.mismatch = fmt::format("group {}, {}: {}", g, x.what, different);
        return result;
      }
      if (x.ending == Ending::trapped) ++result.traps;
    }
  }
  return result;
}

}  // namespace nur::fuzz
