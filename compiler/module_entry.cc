#include "compiler/module_entry.h"

#include <algorithm>
#include <string_view>

#include "base/elf_rules.h"

namespace nur {
namespace {

std::string_view c_type(ValueType type) {
  switch (type) {
    case ValueType::i32:
      return "u32";
    case ValueType::i64:
      return "u64";
    case ValueType::f32:
      return "f32";
    case ValueType::f64:
      return "f64";
    case ValueType::v128:
      return "v128";
    case ValueType::funcref:
      return "wasm_rt_funcref_t";
    case ValueType::externref:
      return "wasm_rt_externref_t";
  }
  return "";
}

// The letter wasm2c has for a type in names of result structures.
char letter(ValueType type) {
  switch (type) {
    case ValueType::i32:
      return 'i';
    case ValueType::i64:
      return 'j';
    case ValueType::f32:
      return 'f';
    case ValueType::f64:
      return 'd';
    case ValueType::v128:
      return 'o';
    case ValueType::funcref:
      return 'r';
    case ValueType::externref:
      return 'e';
  }
  return '?';
}

// `from` (a C expression of the type) into values[i]. A function reference leaves as its address.
std::string to_value(ValueType type, std::size_t i, const std::string& from) {
  switch (type) {
    case ValueType::i32:
    case ValueType::i64:
      return fmt::format("  values[{}].i64 = {};\n", i, from);
    case ValueType::f32:
      return fmt::format("  values[{}].f32 = {};\n", i, from);
    case ValueType::f64:
      return fmt::format("  values[{}].f64 = {};\n", i, from);
    case ValueType::v128:
      return fmt::format("  __builtin_memcpy(values[{}].v128, &{}, 16);\n", i, from);
    case ValueType::funcref:
      return fmt::format("  values[{}].reference = (void*){}.func;\n", i, from);
    case ValueType::externref:
      return fmt::format("  values[{}].reference = {};\n", i, from);
  }
  return "";
}

// values[i] as a C expression of the type. The only function reference that can enter is null.
std::string from_value(ValueType type, std::size_t i) {
  switch (type) {
    case ValueType::i32:
      return fmt::format("values[{}].i32", i);
    case ValueType::i64:
      return fmt::format("values[{}].i64", i);
    case ValueType::f32:
      return fmt::format("values[{}].f32", i);
    case ValueType::f64:
      return fmt::format("values[{}].f64", i);
    case ValueType::v128:
      return fmt::format("nur_v128(&values[{}])", i);
    case ValueType::funcref:
      return "wasm_rt_funcref_null_value";
    case ValueType::externref:
      return fmt::format("values[{}].reference", i);
  }
  return "";
}

std::string result_type(const FunctionType& type) {
  if (type.results.empty()) return "void";
  if (type.results.size() == 1) return std::string(c_type(type.results[0]));
  std::string name = "struct wasm_multi_";
  for (const ValueType result : type.results) name += letter(result);
  return name;
}

// The i-th of several results in a result structure.
std::string result_field(const FunctionType& type, std::size_t i) {
  return fmt::format("result.{}{}", letter(type.results[i]), i);
}

std::string import_function(std::size_t index, const FunctionType& type) {
  std::string parameters = "struct w2c_h* host";
  std::string stores;
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    parameters += fmt::format(", {} p{}", c_type(type.parameters[i]), i);
    stores += to_value(type.parameters[i], i, fmt::format("p{}", i));
  }
  const std::size_t room = std::max({type.parameters.size(), type.results.size(), std::size_t{1}});
  std::string text = fmt::format(
      "{} w2c_h_i{}({}) {{\n  union nur_value values[{}];\n{}"
      "  nur_call_host(host, {}, values);\n",
      result_type(type), index, parameters, room, stores, index);
  if (type.results.size() == 1) {
    text += fmt::format("  return {};\n", from_value(type.results[0], 0));
  } else if (type.results.size() > 1) {
    text += fmt::format("  {} result;\n", result_type(type));
    for (std::size_t i = 0; i < type.results.size(); ++i) {
      text += fmt::format("  {} = {};\n", result_field(type, i), from_value(type.results[i], i));
    }
    text += "  return result;\n";
  }
  return text + "}\n\n";
}

// `target` is w2c_m_e3, or w2c_m_s for the start function.
std::string export_function(const std::string& name, const std::string& target,
                            const FunctionType& type) {
  std::string arguments = "(w2c_m*)(void*)(header + 1)";
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    arguments += ", " + from_value(type.parameters[i], i);
  }
  std::string text = fmt::format(
      "static void {}(struct nur_instance_header* header, union nur_value* values) {{\n", name);
  const std::string call = fmt::format("{}({})", target, arguments);
  if (type.results.empty()) {
    text += fmt::format("  (void)values;\n  {};\n", call);
  } else {
    text += fmt::format("  {} const result = {};\n", result_type(type), call);
    for (std::size_t i = 0; i < type.results.size(); ++i) {
      const bool single = type.results.size() == 1;
      text += to_value(type.results[i], i, single ? "result" : result_field(type, i));
    }
  }
  return text + "}\n\n";
}

bool uses_v128(const Manifest& manifest) {
  const auto in = [](const FunctionType& type) {
    for (const ValueType value : type.parameters) {
      if (value == ValueType::v128) return true;
    }
    for (const ValueType value : type.results) {
      if (value == ValueType::v128) return true;
    }
    return false;
  };
  for (const ManifestImport& import : manifest.imports) {
    if (in(import.type)) return true;
  }
  for (const ManifestExport& exported : manifest.exports) {
    if (exported.kind == ExternalKind::function && in(exported.type)) return true;
  }
  return false;
}

std::string module_definition(const Manifest& manifest, const std::vector<ImageRun>& image) {
  std::string text;
  std::size_t entries = 0;
  std::string calls;
  for (const ManifestExport& exported : manifest.exports) {
    if (exported.kind != ExternalKind::function) continue;
    calls += fmt::format("  call_e{},\n", exported.entry);
    ++entries;
  }
  if (entries > 0) {
    text += fmt::format("static const nur_export_call exports[] = {{\n{}}};\n\n", calls);
  }

  std::string runs;
  std::uint64_t at = 0;
  for (const ImageRun& run : image) {
    runs +=
        fmt::format("  {{{}u, {}u, nur_image + {}u}},\n", run.memory_offset, run.bytes.size(), at);
    at += run.bytes.size();
  }
  if (!image.empty()) {
    text += fmt::format(
        "extern const uint8_t nur_image[];\n"
        "static const struct nur_image_run image_runs[] = {{\n{}}};\n\n",
        runs);
  }

  text += fmt::format(
      "__attribute__((visibility(\"default\"))) const struct nur_module nur_module = {{\n"
      "  .abi_version = NUR_ABI_VERSION,\n"
      "  .instance_bytes = NUR_INSTANCE_BYTES,\n"
      "  .export_count = {},\n"
      "  .image_run_count = {},\n"
      "  .exports = {},\n"
      "  .image_runs = {},\n"
      "  .initialize = initialize,\n"
      "  .start = {},\n"
      "}};\n",
      entries, image.size(), entries > 0 ? "exports" : "NULL",
      image.empty() ? "NULL" : "image_runs", manifest.has_start ? "call_start" : "NULL");
  return text;
}

}  // namespace

std::string config_header(const Manifest& manifest) {
  std::uint64_t table_bytes = 0;
  for (const TableLimits& table : manifest.tables) {
    // sizeof(wasm_rt_funcref_t) and sizeof(wasm_rt_externref_t); entry.c asserts both.
    table_bytes += std::uint64_t{table.capacity} * (table.element == ValueType::funcref ? 32 : 8);
  }
  return fmt::format(
      "#define NUR_HAS_MEMORY {}\n"
      "#define NUR_TABLE_BYTES {}u\n",
      manifest.memory ? 1 : 0, table_bytes);
}

std::string entry_source(const Manifest& manifest, const std::vector<ImageRun>& image) {
  std::string text =
      "#include \"wasm_rt.c\"\n\n"
      "#include \"m.h\"\n"
      "#include \"nur_instance.h\"\n\n"
      "_Static_assert(sizeof(struct nur_instance_header) == 64, \"header\");\n"
      "_Static_assert(sizeof(wasm_rt_funcref_t) == 32, \"funcref\");\n"
      "_Static_assert(sizeof(wasm_rt_externref_t) == 8, \"externref\");\n";
  if (!manifest.imports.empty()) {
    // Imported functions are handed the address of this member: the instance, as long as it comes
    // first.
    text += "_Static_assert(offsetof(w2c_m, w2c_h_instance) == 0, \"host first\");\n";
  }
  text += "\n";
  if (uses_v128(manifest)) {
    text +=
        "static inline v128 nur_v128(const union nur_value* value) {\n"
        "  v128 result;\n  __builtin_memcpy(&result, value->v128, 16);\n  return result;\n}\n\n";
  }

  for (std::size_t i = 0; i < manifest.imports.size(); ++i) {
    text += import_function(i, manifest.imports[i].type);
  }
  for (const ManifestExport& exported : manifest.exports) {
    if (exported.kind != ExternalKind::function) continue;
    text += export_function(fmt::format("call_e{}", exported.entry),
                            fmt::format("w2c_m_e{}", exported.entry), exported.type);
  }
  if (manifest.has_start) text += export_function("call_start", "w2c_m_s", FunctionType{});

  text += fmt::format(
      "static void initialize(struct nur_instance_header* header) {{\n"
      "  header->tables_used = NUR_TABLES_OFFSET;\n"
      "  wasm2c_m_instantiate((w2c_m*)(void*)(header + 1){});\n"
      "}}\n\n",
      manifest.imports.empty() ? "" : ", (struct w2c_h*)(void*)(header + 1)");
  // What adds counts of two runs in libgcov; the records name it, nobody calls it.
  if (manifest.profile_generate) text += "void __gcov_merge_add(void) {}\n\n";
  return text + module_definition(manifest, image);
}

std::string sections_source(std::size_t manifest_bytes, bool has_image) {
  // An empty section could become an empty segment, which no rule allows.
  const std::string_view image = has_image ? "  .section .nur.image,\"a\",@progbits\n"
                                             "  .balign 4096\n"
                                             "  .globl nur_image\n"
                                             "  .hidden nur_image\n"
                                             "nur_image:\n"
                                             "  .incbin \"image.bin\"\n\n"
                                           : "";
  return fmt::format(
      "{}  .section .note.nur,\"a\",@note\n"
      "  .balign 4\n"
      "  .long 4, {}, {}\n"
      "  .asciz \"{}\"\n"
      "  .incbin \"manifest.json\"\n"
      "  .balign 4\n"
      "\n"
      "  .section .note.GNU-stack,\"\",@progbits\n",
      image, manifest_bytes, kManifestNoteType, kManifestNoteName);
}

std::string image_bytes(const std::vector<ImageRun>& image) {
  std::string bytes;
  for (const ImageRun& run : image) bytes += run.bytes;
  return bytes;
}

}  // namespace nur
