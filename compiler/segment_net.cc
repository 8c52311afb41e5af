#include "compiler/segment_net.h"

#include <algorithm>
#include <string_view>

namespace nur {
namespace {

constexpr std::string_view kInstruction = "\tmovabs";
constexpr std::string_view kSegment = "%gs:";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

// gcc writes, with one letter for the size behind the name:
//
//   movabsl  2415919104, %eax     from memory
//   movabsl  %eax, 2415919104     to memory
//   movabsq  $2415919104, %rax    a number: no access
std::string with_segments(std::string assembly) {
  for (std::size_t at = assembly.find(kInstruction); at != std::string::npos;
       at = assembly.find(kInstruction, at + 1)) {
    const std::size_t begin = assembly.find_first_of("\t ", at + kInstruction.size());
    if (begin == std::string::npos) break;
    // An operand that begins with a digit is an address.
    const std::size_t end = assembly.find('\n', begin);
    const std::string_view operands(assembly.data() + begin,
                                    std::min(end, assembly.size()) - begin);
    const std::size_t first = operands.find_first_not_of("\t ");
    const std::size_t comma = operands.find(", ");
    if (first == std::string_view::npos || comma == std::string_view::npos) continue;
    for (const std::size_t operand : {comma + 2, first}) {
      if (operand < operands.size() && is_digit(operands[operand])) {
        assembly.insert(begin + operand, kSegment);
        break;
      }
    }
  }
  return assembly;
}

}  // namespace nur
