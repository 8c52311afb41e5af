#include "tests/spec/link.h"

#include "compiler/wasm/module_writer.h"
#include "tests/spec/elements.h"

namespace nur::spec {
namespace {

// Opcodes of constant expressions (specification 5.4).
constexpr std::uint8_t kEnd = 0x0b;
constexpr std::uint8_t kGlobalGet = 0x23;
constexpr std::uint8_t kI32Const = 0x41;
constexpr std::uint8_t kI64Const = 0x42;
constexpr std::uint8_t kF32Const = 0x43;
constexpr std::uint8_t kF64Const = 0x44;
constexpr std::uint8_t kRefNull = 0xd0;
constexpr std::uint8_t kRefFunc = 0xd2;
constexpr std::uint8_t kVectorPrefix = 0xfd;
constexpr std::uint8_t kV128Const = 0x0c;

std::uint8_t code_of(ValueType type) {
  switch (type) {
    case ValueType::i32:
      return 0x7f;
    case ValueType::i64:
      return 0x7e;
    case ValueType::f32:
      return 0x7d;
    case ValueType::f64:
      return 0x7c;
    case ValueType::v128:
      return 0x7b;
    case ValueType::funcref:
      return 0x70;
    case ValueType::externref:
      return 0x6f;
  }
  return 0;
}

void write_signed(SectionWriter& writer, std::int64_t value) {
  while (value < -64 || value > 63) {
    writer.byte(static_cast<std::uint8_t>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  writer.byte(static_cast<std::uint8_t>(value & 0x7f));
}

void write_limits(SectionWriter& writer, const SizeLimits& limits) {
  writer.byte(limits.max ? 1 : 0).u32(limits.initial);
  if (limits.max) writer.u32(*limits.max);
}

// The instruction that puts the value of an imported global on the stack.
void write_constant(SectionWriter& writer, const External& global) {
  const auto raw = [&](std::size_t bytes) {
    writer.bytes({reinterpret_cast<const char*>(global.value.v128), bytes});
  };
  switch (global.value_type) {
    case ValueType::i32:
      write_signed(writer.byte(kI32Const), static_cast<std::int32_t>(global.value.i32));
      break;
    case ValueType::i64:
      write_signed(writer.byte(kI64Const), static_cast<std::int64_t>(global.value.i64));
      break;
    case ValueType::f32:
      writer.byte(kF32Const);
      raw(4);
      break;
    case ValueType::f64:
      writer.byte(kF64Const);
      raw(8);
      break;
    case ValueType::v128:
      writer.byte(kVectorPrefix).byte(kV128Const);
      raw(16);
      break;
    case ValueType::funcref:
    case ValueType::externref:
      writer.byte(kRefNull).byte(code_of(global.value_type));
      break;
  }
}

class Linker {
 public:
  explicit Linker(const WasmModule& module) : module_(module) {}

  Result<LinkedModule> run(const Resolver& resolve) {
    for (const WasmImport& import : module_.imports) {
      const External wanted = wanted_by(module_, import);
      External given = NUR_TRY(resolve(import, wanted));
      if (!is_compatible(given, wanted)) {
        return fail(ErrorKind::invalid_input, "incompatible import type of {}.{}", import.module,
                    import.name);
      }
      of_kind(import.kind).push_back(std::move(given));
    }
    for (const WasmExport& exported : module_.exports) {
      if (exported.kind == ExternalKind::global) getters_.push_back(exported);
    }
    LinkedModule linked;
    linked.bytes = NUR_TRY(write());
    linked.functions = std::move(of_kind(ExternalKind::function));
    return linked;
  }

 private:
  std::vector<External>& of_kind(ExternalKind kind) {
    return given_[static_cast<std::size_t>(kind)];
  }

  [[nodiscard]] std::optional<std::string_view> payload(SectionId id) const {
    return module_.sections[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] SectionReader reader(SectionId id) const {
    return {payload(id).value_or(std::string_view("\0", 1)), 0, "linking"};
  }

  // The entries of a vector without their number, which is put into `count`.
  Result<std::string_view> entries(SectionId id, std::uint32_t& count) const {
    SectionReader section = reader(id);
    count = NUR_TRY(section.u32("count"));
    return NUR_TRY(section.take(section.remaining(), "entries"));
  }

  Result<std::string> write() {
    NUR_TRY(write_types_and_functions());
    NUR_TRY(write_tables_and_memories());
    NUR_TRY(write_globals());
    NUR_TRY(write_exports());
    copy(SectionId::start);
    NUR_TRY(write_elements());
    copy(SectionId::data_count);
    NUR_TRY(write_code());
    NUR_TRY(write_data());
    return std::move(writer_).take();
  }

  void copy(SectionId id) {
    if (payload(id)) writer_.section(id, *payload(id));
  }

  // A vector with entries before and behind those of the section; nothing if it has none at all.
  Result<void> extend(SectionId id, std::uint32_t more, std::string_view before,
                      std::string_view behind) {
    std::uint32_t count = 0;
    const std::string_view old = NUR_TRY(entries(id, count));
    if (count + more == 0) return {};
    SectionWriter section;
    section.u32(count + more).bytes(before).bytes(old).bytes(behind);
    writer_.section(id, section.payload());
    return {};
  }

  Result<void> write_types_and_functions() {
    SectionWriter types;
    SectionWriter type_indices;
    for (std::size_t i = 0; i < getters_.size(); ++i) {
      const WasmGlobal& global = module_.globals[getters_[i].index];
      types.byte(0x60).u32(0).u32(1).byte(code_of(global.type));
      type_indices.u32(static_cast<std::uint32_t>(module_.types.size() + i));
    }
    NUR_TRY(extend(SectionId::type, getter_count(), "", types.payload()));

    SectionWriter imports;
    imports.u32(module_.imported_functions);
    for (const WasmImport& import : module_.imports) {
      if (import.kind != ExternalKind::function) continue;
      imports.name(import.module).name(import.name).byte(0).u32(module_.functions[import.index]);
    }
    if (module_.imported_functions > 0) writer_.section(SectionId::import, imports.payload());
    return extend(SectionId::function, getter_count(), "", type_indices.payload());
  }

  Result<void> write_tables_and_memories() {
    SectionWriter tables;
    for (const External& table : of_kind(ExternalKind::table)) {
      tables.byte(code_of(table.value_type));
      write_limits(tables, table.limits);
    }
    NUR_TRY(extend(SectionId::table, count_of(ExternalKind::table), tables.payload(), ""));
    SectionWriter memories;
    for (const External& memory : of_kind(ExternalKind::memory)) {
      write_limits(memories, memory.limits);
    }
    return extend(SectionId::memory, count_of(ExternalKind::memory), memories.payload(), "");
  }

  Result<void> write_globals() {
    SectionReader section = reader(SectionId::global);
    const std::uint32_t defined = NUR_TRY(section.u32("count"));
    SectionWriter globals;
    globals.u32(count_of(ExternalKind::global) + defined);
    for (const External& global : of_kind(ExternalKind::global)) {
      globals.byte(code_of(global.value_type)).byte(global.is_mutable ? 1 : 0);
      write_constant(globals, global);
      globals.byte(kEnd);
    }
    for (std::uint32_t i = 0; i < defined; ++i) {
      globals.bytes(NUR_TRY(section.take(2, "type of a global")));
      NUR_TRY(copy_expression(section, globals));
    }
    if (count_of(ExternalKind::global) + defined > 0) {
      writer_.section(SectionId::global, globals.payload());
    }
    return {};
  }

  Result<void> write_exports() {
    SectionWriter exports;
    for (std::uint32_t i = 0; i < getter_count(); ++i) {
      exports.name(getter_name(getters_[i].name))
          .byte(0)
          .u32(static_cast<std::uint32_t>(module_.functions.size()) + i);
    }
    return extend(SectionId::export_, getter_count(), "", exports.payload());
  }

  Result<void> write_elements() {
    if (!payload(SectionId::element)) return {};
    const std::string elements = NUR_TRY(copy_elements(
        reader(SectionId::element),
        [this](SectionReader& from, SectionWriter& to) { return copy_expression(from, to); },
        [](std::uint32_t function) { return function; }));
    writer_.section(SectionId::element, elements);
    return {};
  }

  Result<void> write_code() {
    SectionWriter bodies;
    for (const WasmExport& getter : getters_) {
      SectionWriter body;
      body.u32(0).byte(kGlobalGet).u32(getter.index).byte(kEnd);
      bodies.name(body.payload());
    }
    return extend(SectionId::code, getter_count(), "", bodies.payload());
  }

  Result<void> write_data() {
    if (!payload(SectionId::data)) return {};
    SectionReader section = reader(SectionId::data);
    const std::uint32_t count = NUR_TRY(section.u32("count"));
    SectionWriter data;
    data.u32(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t flags = NUR_TRY(section.u32("flags"));
      data.u32(flags);
      if (flags == 2) data.u32(NUR_TRY(section.u32("memory")));
      if (flags != 1) NUR_TRY(copy_expression(section, data));
      const std::uint32_t bytes = NUR_TRY(section.u32("size"));
      data.name(NUR_TRY(section.take(bytes, "bytes")));
    }
    writer_.section(SectionId::data, data.payload());
    return {};
  }

  // Up to and including `end`, with values in place of imported globals.
  Result<void> copy_expression(SectionReader& from, SectionWriter& to) {
    while (true) {
      const std::uint8_t opcode = NUR_TRY(from.byte("opcode"));
      if (opcode == kGlobalGet) {
        const std::uint32_t global = NUR_TRY(from.u32("global"));
        write_constant(to, of_kind(ExternalKind::global).at(global));
        continue;
      }
      to.byte(opcode);
      switch (opcode) {
        case kEnd:
          return {};
        case kI32Const:
          write_signed(to, NUR_TRY(from.s32("constant")));
          break;
        case kI64Const:
          write_signed(to, NUR_TRY(from.s64("constant")));
          break;
        case kF32Const:
          to.bytes(NUR_TRY(from.take(4, "constant")));
          break;
        case kF64Const:
          to.bytes(NUR_TRY(from.take(8, "constant")));
          break;
        case kVectorPrefix:
          to.u32(NUR_TRY(from.u32("opcode"))).bytes(NUR_TRY(from.take(16, "constant")));
          break;
        case kRefNull:
          to.byte(NUR_TRY(from.byte("type")));
          break;
        case kRefFunc:
          to.u32(NUR_TRY(from.u32("function")));
          break;
        default:  // arithmetic: no immediates
          break;
      }
    }
  }

  [[nodiscard]] std::uint32_t getter_count() const {
    return static_cast<std::uint32_t>(getters_.size());
  }
  std::uint32_t count_of(ExternalKind kind) {
    return static_cast<std::uint32_t>(of_kind(kind).size());
  }

  const WasmModule& module_;
  std::array<std::vector<External>, 4> given_;  // by kind, in the order of their index spaces
  std::vector<WasmExport> getters_;
  ModuleWriter writer_;
};

}  // namespace

std::string getter_name(std::string_view name) { return fmt::format("value of global {}", name); }

Result<LinkedModule> link(const WasmModule& module, const Resolver& resolve) {
  return Linker(module).run(resolve);
}

}  // namespace nur::spec
