// The edits to wasm2c's output. Every difference between the C that wasm2c writes and the C that we
// compile is in kEdits, kVectorEdit and kHeaderVectorEdit; each replaces one passage of the fixed
// part at the top of a file.
#include "compiler/generated_c.h"

#include <array>

namespace nur {
namespace {

struct Edit {
  std::string_view passage;
  std::string_view replacement;
};

constexpr std::array kEdits{
    // Our loads, stores and checks, before the first of them is defined.
    Edit{"\nDEFINE_LOAD(i32_load, u32, u32, u32, FORCE_READ_INT)\n",
         "\n#include \"nur_memory.h\"\nDEFINE_LOAD(i32_load, u32, u32, u32, FORCE_READ_INT)\n"},
    // Bulk memory through the host's memmove and memset.
    Edit{"  RANGE_CHECK(mem, d, n);\n  memset(MEM_ADDR(mem, d, n), val, n);\n",
         "  nur_memory_fill(mem, d, val, n);\n"},
    Edit{"  RANGE_CHECK(dest, dest_addr, n);\n  RANGE_CHECK(src, src_addr, n);\n"
         "  memmove(MEM_ADDR(dest, dest_addr, n), MEM_ADDR(src, src_addr, n), n);\n",
         "  (void)src;\n  nur_memory_copy(dest, dest_addr, src_addr, n);\n"},
    Edit{"  if (UNLIKELY(src_addr + (uint64_t)n > src_size))\n    TRAP(OOB);\n"
         "  LOAD_DATA((*dest), dest_addr, src + src_addr, n);\n",
         "  nur_memory_init(dest, src, src_size, dest_addr, src_addr, n);\n"},
};

// Of modules with vectors: our operations in place of some of simde's. The passage is behind
// simde's header, which is included here or already in m.h.
constexpr Edit kVectorEdit{
    "\n#define SIMD_FORCE_READ(var) __asm__(\"\" ::\"x\"(var));\n",
    "\n#define SIMD_FORCE_READ(var) __asm__(\"\" ::\"x\"(var));\n#include \"nur_simd.h\"\n"};
constexpr std::string_view kVectorSign = "simde_";

// Of headers with vectors: wasm2c 1.0.36 declares their type here only when an import, an export or
// a global has it, although the structures of several results may have it, too.
constexpr Edit kHeaderVectorEdit{"\n#include \"wasm-rt.h\"\n",
                                 "\n#include \"wasm-rt.h\"\n#include <simde/wasm/simd128.h>\n"
                                 "#define WASM_RT_SIMD_TYPE_DEFINED\n"
                                 "typedef simde_v128_t v128;\n"};
constexpr std::string_view kVectorMember = "\n  v128 ";
constexpr std::string_view kVectorHeader = "#include <simde/wasm/simd128.h>";

Result<void> apply(const Edit& edit, std::string& text) {
  const std::size_t at = text.find(edit.passage);
  if (at == std::string::npos || text.find(edit.passage, at + 1) != std::string::npos) {
    return fail(ErrorKind::internal,
                "this wasm2c writes other C than expected: the passage \"{}\" is not there "
                "exactly once; use wasm2c 1.0.36",
                edit.passage.substr(0, edit.passage.find('\n', 1)));
  }
  text.replace(at, edit.passage.size(), edit.replacement);
  return {};
}

}  // namespace

Result<std::string> adapt_generated_c(std::string text) {
  for (const Edit& edit : kEdits) NUR_TRY(apply(edit, text));
  if (text.find(kVectorSign) != std::string::npos) NUR_TRY(apply(kVectorEdit, text));
  return text;
}

Result<std::string> adapt_generated_header(std::string text) {
  if (text.find(kVectorMember) != std::string::npos &&
      text.find(kVectorHeader) == std::string::npos) {
    NUR_TRY(apply(kHeaderVectorEdit, text));
  }
  return text;
}

}  // namespace nur
