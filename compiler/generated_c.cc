// The edits to wasm2c's output. Every difference between the C that wasm2c writes and the C that we
// compile is in the edits below, which replace passages of the fixed part of a file, and in
// cut_type_lookup.
#include "compiler/generated_c.h"

#include <array>
#include <map>

namespace nur {
namespace {

struct Edit {
  std::string_view passage;
  std::string_view replacement;
};

constexpr std::array kEdits{
    // Our loads, stores, calls and checks, before the first of them is defined.
    Edit{"\nDEFINE_LOAD(i32_load, u32, u32, u32, FORCE_READ_INT)\n",
         "\n#include \"nur_memory.h\"\n#include \"nur_calls.h\"\nDEFINE_LOAD(i32_load, u32, u32, "
         "u32, FORCE_READ_INT)\n"},
    // Bulk memory through the host's memmove and memset.
    Edit{"  RANGE_CHECK(mem, d, n);\n  memset(MEM_ADDR(mem, d, n), val, n);\n",
         "  nur_memory_fill(mem, d, val, n);\n"},
    Edit{"  RANGE_CHECK(dest, dest_addr, n);\n  RANGE_CHECK(src, src_addr, n);\n"
         "  memmove(MEM_ADDR(dest, dest_addr, n), MEM_ADDR(src, src_addr, n), n);\n",
         "  (void)src;\n  nur_memory_copy(dest, dest_addr, src_addr, n);\n"},
    Edit{"  if (UNLIKELY(src_addr + (uint64_t)n > src_size))\n    TRAP(OOB);\n"
         "  LOAD_DATA((*dest), dest_addr, src + src_addr, n);\n",
         "  nur_memory_init(dest, src, src_size, dest_addr, src_addr, n);\n"},
    // Function types are the numbers of nur_types.h; their texts are left unused under other names.
    Edit{"\n#define FUNC_TYPE_DECL_EXTERN_T(x) extern const char* const x\n"
         "#define FUNC_TYPE_EXTERN_T(x) const char* const x\n"
         "#define FUNC_TYPE_T(x) static const char* const x\n",
         "\n#define FUNC_TYPE_DECL_EXTERN_T(x) struct nur_function_type\n"
         "#define FUNC_TYPE_EXTERN_T(x) static const char* const nur_text_##x\n"
         "#define FUNC_TYPE_T(x) static const char* const nur_text_##x\n"},
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

// Of headers and sources of modules with imports: what an imported function is handed is the
// address of the instance's first member, which costs nothing, in place of the value of that
// member.
constexpr Edit kHeaderImportEdit{"\n  struct w2c_h* w2c_h_instance;\n",
                                 "\n  struct w2c_h {\n    char of_instance[8];\n"
                                 "  } w2c_h_instance[1];\n"};
constexpr Edit kSourceImportEdit{"\n  instance->w2c_h_instance = w2c_h_instance;\n",
                                 "\n  (void)instance;\n  (void)w2c_h_instance;\n"};
constexpr std::string_view kImportSign = "\nstruct w2c_h;\n";
constexpr std::string_view kImportFunction = "\nstatic void init_instance_import(";

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

// How the definition of a function type begins, in a module of one unit and of several:
// FUNC_TYPE_T(w2c_m_t12) = "32 bytes as \xNN";
constexpr std::string_view kTypeDefinitions[] = {"\nFUNC_TYPE_T(", "\nFUNC_TYPE_EXTERN_T("};
constexpr std::size_t kTypeTextBytes = 32 * 4;

// Name and text of a function type.
struct TypeDefinition {
  std::string_view name;
  std::string_view text;
};

// `line` begins with the type's name.
Result<TypeDefinition> type_definition(std::string_view line) {
  constexpr std::string_view kPrefix = "w2c_m_t";
  constexpr std::string_view kOpen = ") = \"";
  constexpr std::string_view kClose = "\";\n";
  const std::size_t name_end = line.find(kOpen);
  if (line.starts_with(kPrefix) && name_end != std::string_view::npos) {
    const TypeDefinition type{line.substr(0, name_end),
                              line.substr(name_end + kOpen.size(), kTypeTextBytes)};
    const bool is_numbered =
        type.name.find_first_not_of("0123456789", kPrefix.size()) == std::string_view::npos;
    const bool is_whole =
        type.text.find('"') == std::string_view::npos &&
        line.substr(name_end + kOpen.size() + type.text.size()).starts_with(kClose);
    if (is_numbered && is_whole) return type;
  }
  return fail(
      ErrorKind::internal,
      "this wasm2c writes other C than expected: the function type \"{}\" is not defined as "
      "known; use wasm2c 1.0.36",
      line.substr(0, line.find_first_of(")\n")));
}

}  // namespace

Result<std::string> function_type_numbers(std::string_view text) {
  std::string header;
  std::map<std::string_view, std::size_t> numbers;
  for (const std::string_view definition : kTypeDefinitions) {
    for (std::size_t at = text.find(definition); at != std::string_view::npos;
         at = text.find(definition, at + 1)) {
      const TypeDefinition type = NUR_TRY(type_definition(text.substr(at + definition.size())));
      const std::size_t number = numbers.emplace(type.text, numbers.size() + 1).first->second;
      header += fmt::format(
          "enum {{ number_of_{0} = {1} }};\n"
          "#define {0} NUR_FUNCTION_TYPE(number_of_{0})\n",
          type.name, number);
    }
  }
  return header;
}

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
  if (text.find(kImportSign) != std::string::npos) NUR_TRY(apply(kHeaderImportEdit, text));
  return text;
}

namespace {

Result<void> cut_type_lookup(std::string& text) {
  constexpr std::string_view kBegin =
      "\nwasm_rt_func_type_t wasm2c_m_get_func_type(uint32_t param_count, uint32_t result_count, "
      "...) {\n";
  constexpr std::string_view kEnd = "\n  return NULL;\n}\n";
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string::npos) return {};
  const std::size_t end = text.find(kEnd, begin);
  if (end == std::string::npos) {
    return fail(ErrorKind::internal,
                "this wasm2c writes other C than expected: wasm2c_m_get_func_type has no end; use "
                "wasm2c 1.0.36");
  }
  text.erase(begin, end + kEnd.size() - begin);
  return {};
}

}  // namespace

Result<std::string> adapt_generated_source(std::string text) {
  NUR_TRY(cut_type_lookup(text));
  if (text.find(kImportFunction) != std::string::npos) NUR_TRY(apply(kSourceImportEdit, text));
  return text;
}

}  // namespace nur
