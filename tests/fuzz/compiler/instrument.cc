#include "tests/fuzz/compiler/instrument.h"

#include <algorithm>
#include <array>

#include "compiler/wasm/module_writer.h"
#include "compiler/wasm/opcodes.h"
#include "compiler/wasm/section_reader.h"
#include "tests/spec/elements.h"

namespace nur::fuzz {
namespace {

constexpr std::uint8_t kEnd = 0x0b;
constexpr std::uint8_t kCall = 0x10;
constexpr std::uint8_t kSelect = 0x1b;
constexpr std::uint8_t kLocalGet = 0x20;
constexpr std::uint8_t kLocalSet = 0x21;
constexpr std::uint8_t kGlobalGet = 0x23;
constexpr std::uint8_t kI32Const = 0x41;
constexpr std::uint8_t kI64Const = 0x42;
constexpr std::uint8_t kF32Const = 0x43;
constexpr std::uint8_t kF64Const = 0x44;
constexpr std::uint8_t kF32Eq = 0x5b;
constexpr std::uint8_t kF64Eq = 0x61;
constexpr std::uint8_t kI32ReinterpretF32 = 0xbc;
constexpr std::uint8_t kI64ReinterpretF64 = 0xbd;
constexpr std::uint8_t kF32ReinterpretI32 = 0xbe;
constexpr std::uint8_t kF64ReinterpretI64 = 0xbf;
constexpr std::uint8_t kRefNull = 0xd0;
constexpr std::uint8_t kRefIsNull = 0xd1;
constexpr std::uint8_t kRefFunc = 0xd2;
constexpr std::uint8_t kVectorPrefix = 0xfd;
constexpr std::uint32_t kV128Const = 0x0c;
constexpr std::uint32_t kI64x2Splat = 0x12;
constexpr std::uint32_t kI64x2ExtractLane = 0x1d;
constexpr std::uint32_t kI64x2ReplaceLane = 0x1e;
constexpr std::uint32_t kF32x4Eq = 0x41;
constexpr std::uint32_t kF64x2Eq = 0x47;
constexpr std::uint32_t kBitselect = 0x52;

// What an instruction leaves on the stack that may be a NaN of the engine's choice.
enum class MadeNan : std::uint8_t { never, f32, f64, f32x4, f64x2 };
constexpr std::size_t kNanKinds = 4;

MadeNan plain_nan(std::uint8_t opcode) {
  // ceil floor trunc nearest sqrt add sub mul div min max; then demote and promote.
  if ((opcode >= 0x8d && opcode <= 0x97) || opcode == 0xb6) return MadeNan::f32;
  if ((opcode >= 0x9b && opcode <= 0xa5) || opcode == 0xbb) return MadeNan::f64;
  return MadeNan::never;
}

MadeNan vector_nan(std::uint32_t opcode) {
  switch (opcode) {
    case 0x67:  // ceil floor trunc nearest
    case 0x68:
    case 0x69:
    case 0x6a:
    case 0xe3:  // sqrt add sub mul div min max
    case 0xe4:
    case 0xe5:
    case 0xe6:
    case 0xe7:
    case 0xe8:
    case 0xe9:
    case 0x5e:  // f32x4.demote_f64x2_zero
      return MadeNan::f32x4;
    case 0x74:
    case 0x75:
    case 0x7a:
    case 0x94:
    case 0xef:
    case 0xf0:
    case 0xf1:
    case 0xf2:
    case 0xf3:
    case 0xf4:
    case 0xf5:
    case 0x5f:  // f64x2.promote_low_f32x4
      return MadeNan::f64x2;
    default:
      return MadeNan::never;
  }
}

std::uint8_t code_of(ValueType type) {
  constexpr std::array<std::uint8_t, 7> kCodes{0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f};
  return kCodes[static_cast<std::size_t>(type)];
}

void write_signed(SectionWriter& writer, std::int64_t value) {
  while (value < -64 || value > 63) {
    writer.byte(static_cast<std::uint8_t>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  writer.byte(static_cast<std::uint8_t>(value & 0x7f));
}

SectionWriter& vector(SectionWriter& writer, std::uint32_t opcode) {
  return writer.byte(kVectorPrefix).u32(opcode);
}

std::vector<ValueType> lowered_parameters(const std::vector<ValueType>& types) {
  std::vector<ValueType> lowered;
  for (const ValueType type : types) {
    switch (type) {
      case ValueType::f32:
        lowered.push_back(ValueType::i32);
        break;
      case ValueType::f64:
        lowered.push_back(ValueType::i64);
        break;
      case ValueType::v128:
        lowered.insert(lowered.end(), 2, ValueType::i64);
        break;
      case ValueType::funcref:
        break;
      default:
        lowered.push_back(type);
    }
  }
  return lowered;
}

std::vector<ValueType> lowered_results(const std::vector<ValueType>& types) {
  std::vector<ValueType> lowered;
  for (const ValueType type : types) {
    if (type == ValueType::v128) lowered.push_back(ValueType::i64);
    const bool wide = type == ValueType::i64 || type == ValueType::f64 || type == ValueType::v128;
    lowered.push_back(wide ? ValueType::i64 : ValueType::i32);
  }
  return lowered;
}

// From a value in `local` to its lowered form on the stack.
void lower(SectionWriter& code, ValueType type, std::uint32_t local) {
  code.byte(kLocalGet).u32(local);
  switch (type) {
    case ValueType::i32:
    case ValueType::i64:
      break;
    case ValueType::f32:
      code.byte(kI32ReinterpretF32);
      break;
    case ValueType::f64:
      code.byte(kI64ReinterpretF64);
      break;
    case ValueType::v128:
      vector(code, kI64x2ExtractLane).byte(0).byte(kLocalGet).u32(local);
      vector(code, kI64x2ExtractLane).byte(1);
      break;
    case ValueType::funcref:
    case ValueType::externref:
      code.byte(kRefIsNull);
      break;
  }
}

// From lowered parameters, of which `local` is the next, to a value on the stack.
void raise(SectionWriter& code, ValueType type, std::uint32_t& local) {
  if (type == ValueType::funcref) {
    code.byte(kRefNull).byte(code_of(type));
    return;
  }
  code.byte(kLocalGet).u32(local++);
  if (type == ValueType::f32) code.byte(kF32ReinterpretI32);
  if (type == ValueType::f64) code.byte(kF64ReinterpretI64);
  if (type == ValueType::v128) {
    vector(code, kI64x2Splat).byte(kLocalGet).u32(local++);
    vector(code, kI64x2ReplaceLane).byte(1);
  }
}

void write_zero(SectionWriter& code, ValueType type) {
  switch (type) {
    case ValueType::i32:
      code.byte(kI32Const).byte(0);
      break;
    case ValueType::i64:
      code.byte(kI64Const).byte(0);
      break;
    case ValueType::f32:
      code.byte(kF32Const).bytes(std::string(4, '\0'));
      break;
    case ValueType::f64:
      code.byte(kF64Const).bytes(std::string(8, '\0'));
      break;
    case ValueType::v128:
      vector(code, kV128Const).bytes(std::string(16, '\0'));
      break;
    case ValueType::funcref:
    case ValueType::externref:
      code.byte(kRefNull).byte(code_of(type));
      break;
  }
}

struct AddedFunction {
  FunctionType type;
  std::string body;      // declarations of locals and instructions
  std::string exported;  // empty when it is not
};

std::string without_locals(const SectionWriter& code) {
  SectionWriter body;
  body.u32(0).bytes(code.payload()).byte(kEnd);
  return body.payload();
}

AddedFunction canonical_scalar(ValueType type) {
  const bool single = type == ValueType::f32;
  SectionWriter code;
  code.byte(kLocalGet).u32(0);
  if (single) {
    code.byte(kF32Const).bytes({"\0\0\xc0\x7f", 4});
  } else {
    code.byte(kF64Const).bytes({"\0\0\0\0\0\0\xf8\x7f", 8});
  }
  code.byte(kLocalGet).u32(0).byte(kLocalGet).u32(0).byte(single ? kF32Eq : kF64Eq).byte(kSelect);
  return {{{type}, {type}}, without_locals(code), ""};
}

AddedFunction canonical_vector(MadeNan kind) {
  const bool single = kind == MadeNan::f32x4;
  SectionWriter code;
  code.byte(kLocalGet).u32(0);
  vector(code, kV128Const);
  for (int lane = 0; lane < (single ? 4 : 2); ++lane) {
    if (single) code.bytes({"\0\0\xc0\x7f", 4});
    if (!single) code.bytes({"\0\0\0\0\0\0\xf8\x7f", 8});
  }
  code.byte(kLocalGet).u32(0).byte(kLocalGet).u32(0);
  vector(code, single ? kF32x4Eq : kF64x2Eq);
  vector(code, kBitselect);
  return {{{ValueType::v128}, {ValueType::v128}}, without_locals(code), ""};
}

class Instrumenter {
 public:
  Instrumenter(const WasmModule& module, const Instrumentation& how) : module_(module), how_(how) {}

  Result<std::string> run() {
    plan();
    write_types();
    write_imports();
    write_functions();
    copy(SectionId::table);
    copy(SectionId::memory);
    NUR_TRY(write_globals());
    write_exports();
    if (module_.start) {
      writer_.section(SectionId::start, SectionWriter().u32(mapped(*module_.start)).payload());
    }
    NUR_TRY(write_elements());
    copy(SectionId::data_count);
    NUR_TRY(write_code());
    copy(SectionId::data);
    return std::move(writer_).take();
  }

 private:
  [[nodiscard]] std::uint32_t function_count() const {
    return static_cast<std::uint32_t>(module_.functions.size());
  }
  [[nodiscard]] std::uint32_t mapped(std::uint32_t function) const {
    return how_.for_javascript && function < module_.imported_functions ? shims_ + function
                                                                        : function;
  }

  std::uint32_t add(AddedFunction function) {
    added_.push_back(std::move(function));
    return function_count() + static_cast<std::uint32_t>(added_.size()) - 1;
  }

  void plan() {
    if (how_.canonical_nans) {
      canonical_[0] = add(canonical_scalar(ValueType::f32));
      canonical_[1] = add(canonical_scalar(ValueType::f64));
      if (module_.features.has(Feature::simd)) {
        canonical_[2] = add(canonical_vector(MadeNan::f32x4));
        canonical_[3] = add(canonical_vector(MadeNan::f64x2));
      }
    }
    for (std::size_t global = 0; global < module_.globals.size(); ++global) add_getter(global);
    if (!how_.for_javascript) return;
    shims_ = function_count() + static_cast<std::uint32_t>(added_.size());
    for (std::uint32_t import = 0; import < module_.imported_functions; ++import) add_shim(import);
    std::size_t number = 0;
    for (const WasmExport& exported : module_.exports) {
      if (exported.kind == ExternalKind::function) add_lowered(exported, number++);
    }
  }

  void add_getter(std::size_t global) {
    const ValueType type = module_.globals[global].type;
    SectionWriter body;
    body.u32(1).u32(1).byte(code_of(type));
    body.byte(kGlobalGet).u32(static_cast<std::uint32_t>(global)).byte(kLocalSet).u32(0);
    lower(body, type, 0);
    body.byte(kEnd);
    add({{{}, lowered_results({type})}, body.payload(), global_name(global)});
  }

  // Has the import's type; its parameters go to the lowered import, its results are zeros.
  void add_shim(std::uint32_t import) {
    const FunctionType& type = module_.type_of(import);
    SectionWriter code;
    for (std::uint32_t i = 0; i < type.parameters.size(); ++i) lower(code, type.parameters[i], i);
    code.byte(kCall).u32(import);
    for (const ValueType result : type.results) write_zero(code, result);
    add({type, without_locals(code), ""});
  }

  void add_lowered(const WasmExport& exported, std::size_t number) {
    const FunctionType& type = module_.type_of(exported.index);
    const FunctionType lowered{lowered_parameters(type.parameters), lowered_results(type.results)};
    SectionWriter body;
    body.u32(static_cast<std::uint32_t>(type.results.size()));
    for (const ValueType result : type.results) body.u32(1).byte(code_of(result));
    std::uint32_t parameter = 0;
    for (const ValueType wanted : type.parameters) raise(body, wanted, parameter);
    body.byte(kCall).u32(mapped(exported.index));
    const auto results = static_cast<std::uint32_t>(type.results.size());
    const auto first = static_cast<std::uint32_t>(lowered.parameters.size());
    for (std::uint32_t i = results; i-- > 0;) body.byte(kLocalSet).u32(first + i);
    for (std::uint32_t i = 0; i < results; ++i) lower(body, type.results[i], first + i);
    body.byte(kEnd);
    add({lowered, body.payload(), lowered_name(number)});
  }

  [[nodiscard]] std::optional<std::string_view> payload(SectionId id) const {
    return module_.sections[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] SectionReader reader(SectionId id) const {
    return {payload(id).value_or(std::string_view("\0", 1)), 0, "instrumenting"};
  }
  void copy(SectionId id) {
    if (payload(id)) writer_.section(id, *payload(id));
  }

  static void write_type(SectionWriter& types, const FunctionType& type) {
    types.byte(0x60).u32(static_cast<std::uint32_t>(type.parameters.size()));
    for (const ValueType parameter : type.parameters) types.byte(code_of(parameter));
    types.u32(static_cast<std::uint32_t>(type.results.size()));
    for (const ValueType result : type.results) types.byte(code_of(result));
  }

  // Those of the module, then those of the lowered imports, then those of added functions.
  void write_types() {
    const std::uint32_t imports = how_.for_javascript ? module_.imported_functions : 0;
    SectionWriter types;
    types.u32(static_cast<std::uint32_t>(module_.types.size() + imports + added_.size()));
    for (const FunctionType& type : module_.types) write_type(types, type);
    for (std::uint32_t import = 0; import < imports; ++import) {
      write_type(types, {lowered_results(module_.type_of(import).parameters), {}});
    }
    for (const AddedFunction& function : added_) write_type(types, function.type);
    writer_.section(SectionId::type, types.payload());
  }

  void write_imports() {
    if (module_.imports.empty()) return;
    SectionWriter imports;
    imports.u32(module_.imported_functions);
    for (const WasmImport& import : module_.imports) {
      const auto lowered = static_cast<std::uint32_t>(module_.types.size()) + import.index;
      imports.name(import.module).name(import.name).byte(0);
      imports.u32(how_.for_javascript ? lowered : module_.functions[import.index]);
    }
    writer_.section(SectionId::import, imports.payload());
  }

  void write_functions() {
    const std::uint32_t defined = function_count() - module_.imported_functions;
    const std::uint32_t imports = how_.for_javascript ? module_.imported_functions : 0;
    SectionWriter functions;
    functions.u32(defined + static_cast<std::uint32_t>(added_.size()));
    for (std::uint32_t i = module_.imported_functions; i < function_count(); ++i) {
      functions.u32(module_.functions[i]);
    }
    for (std::size_t i = 0; i < added_.size(); ++i) {
      functions.u32(static_cast<std::uint32_t>(module_.types.size() + imports + i));
    }
    writer_.section(SectionId::function, functions.payload());
  }

  Result<void> write_globals() {
    if (!payload(SectionId::global)) return {};
    SectionReader section = reader(SectionId::global);
    const std::uint32_t count = NUR_TRY(section.u32("count"));
    SectionWriter globals;
    globals.u32(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      globals.bytes(NUR_TRY(section.take(2, "type of a global")));
      NUR_TRY(copy_expression(section, globals));
    }
    writer_.section(SectionId::global, globals.payload());
    return {};
  }

  void write_exports() {
    std::uint32_t count = 0;
    SectionWriter exports;
    const auto put = [&](std::string_view name, ExternalKind kind, std::uint32_t index) {
      exports.name(name).byte(static_cast<std::uint8_t>(kind)).u32(index);
      ++count;
    };
    for (const WasmExport& exported : module_.exports) {
      const bool function = exported.kind == ExternalKind::function;
      put(exported.name, exported.kind, function ? mapped(exported.index) : exported.index);
    }
    for (std::size_t i = 0; i < added_.size(); ++i) {
      if (added_[i].exported.empty()) continue;
      put(added_[i].exported, ExternalKind::function,
          function_count() + static_cast<std::uint32_t>(i));
    }
    if (how_.for_javascript && !module_.memories.empty()) put(kMemoryName, ExternalKind::memory, 0);
    writer_.section(SectionId::export_,
                    SectionWriter().u32(count).bytes(exports.payload()).payload());
  }

  Result<void> write_elements() {
    if (!payload(SectionId::element)) return {};
    const std::string elements = NUR_TRY(spec::copy_elements(
        reader(SectionId::element),
        [this](SectionReader& from, SectionWriter& to) { return copy_expression(from, to); },
        [this](std::uint32_t function) { return mapped(function); }));
    writer_.section(SectionId::element, elements);
    return {};
  }

  // Up to and including `end`.
  Result<void> copy_expression(SectionReader& from, SectionWriter& to) {
    while (true) {
      const std::uint8_t opcode = NUR_TRY(from.peek("opcode"));
      NUR_TRY(copy_instruction(from, to));
      if (opcode == kEnd) return {};
    }
  }

  Result<void> write_code() {
    SectionWriter code;
    code.u32(static_cast<std::uint32_t>(module_.bodies.size() + added_.size()));
    const WasmExport* const hang = module_.find_export(kHangLimitName);
    for (std::size_t i = 0; i < module_.bodies.size(); ++i) {
      const bool sets_limit = hang != nullptr && hang->kind == ExternalKind::function &&
                              hang->index == module_.imported_functions + i;
      code.name(NUR_TRY(copy_body(module_.bodies[i], sets_limit)));
    }
    for (const AddedFunction& function : added_) code.name(function.body);
    writer_.section(SectionId::code, code.payload());
    return {};
  }

  Result<std::string> copy_body(const FunctionBody& body, bool sets_limit) {
    SectionReader from(body.bytes, 0, "instrumenting");
    SectionWriter to;
    const std::uint32_t groups = NUR_TRY(from.u32("groups of locals"));
    to.u32(groups);
    for (std::uint32_t group = 0; group < groups; ++group) {
      to.u32(NUR_TRY(from.u32("locals"))).byte(NUR_TRY(from.byte("type")));
    }
    while (!from.at_end()) {
      if (sets_limit && NUR_TRY(from.peek("opcode")) == kI32Const) {
        NUR_TRY(from.byte("opcode"));
        NUR_TRY(from.s32("limit"));
        write_signed(to.byte(kI32Const), how_.hang_limit);
        continue;
      }
      const MadeNan made = NUR_TRY(copy_instruction(from, to));
      if (made == MadeNan::never || !how_.canonical_nans) continue;
      to.byte(kCall).u32(canonical_[static_cast<std::size_t>(made) - 1]);
    }
    return to.payload();
  }

  // One instruction with its immediates.
  Result<MadeNan> copy_instruction(SectionReader& from, SectionWriter& to) {
    const std::uint8_t opcode = NUR_TRY(from.byte("opcode"));
    Instruction found = instruction(opcode);
    MadeNan made = plain_nan(opcode);
    to.byte(opcode);
    if (found.immediate == Immediate::bulk_prefix) {
      const std::uint32_t second = NUR_TRY(from.u32("opcode"));
      found = bulk_instruction(second);
      to.u32(second);
    } else if (found.immediate == Immediate::vector_prefix) {
      const std::uint32_t second = NUR_TRY(from.u32("opcode"));
      found = vector_instruction(second);
      made = vector_nan(second);
      to.u32(second);
    }
    NUR_TRY(copy_immediates(found, from, to));
    return made;
  }

  Result<void> copy_immediates(const Instruction& of, SectionReader& from, SectionWriter& to) {
    const auto numbers = [&](std::uint32_t count) -> Result<void> {
      for (std::uint32_t i = 0; i < count; ++i) to.u32(NUR_TRY(from.u32("immediate")));
      return {};
    };
    const auto raw = [&](std::size_t count) -> Result<void> {
      to.bytes(NUR_TRY(from.take(count, "immediate")));
      return {};
    };
    switch (of.immediate) {
      case Immediate::unknown:
      case Immediate::bulk_prefix:
      case Immediate::vector_prefix:
        return fail(ErrorKind::invalid_input, "an instruction that is not known");
      case Immediate::none:
      case Immediate::else_:
      case Immediate::end:
        return {};
      case Immediate::block:
      case Immediate::if_:
      case Immediate::i64:
        write_signed(to, NUR_TRY(from.s64("immediate")));
        return {};
      case Immediate::i32:
        write_signed(to, NUR_TRY(from.s32("immediate")));
        return {};
      case Immediate::function:
      case Immediate::function_reference:
        to.u32(mapped(NUR_TRY(from.u32("function"))));
        return {};
      case Immediate::label:
      case Immediate::local:
      case Immediate::global:
      case Immediate::table:
      case Immediate::memory:
      case Immediate::data:
      case Immediate::element:
        return numbers(1);
      case Immediate::indirect_call:
      case Immediate::memory_access:
      case Immediate::data_memory:
      case Immediate::memory_memory:
      case Immediate::element_table:
      case Immediate::table_table:
        return numbers(2);
      case Immediate::label_table: {
        const std::uint32_t targets = NUR_TRY(from.u32("targets"));
        to.u32(targets);
        return numbers(targets + 1);
      }
      case Immediate::select_types: {
        const std::uint32_t types = NUR_TRY(from.u32("types"));
        to.u32(types);
        return raw(types);
      }
      case Immediate::bytes4:
        return raw(4);
      case Immediate::bytes8:
        return raw(8);
      case Immediate::bytes16:
      case Immediate::shuffle:
        return raw(16);
      case Immediate::heap_type:
      case Immediate::lane:
        return raw(1);
      case Immediate::memory_access_lane:
        NUR_TRY(numbers(2));
        return raw(1);
    }
    return {};
  }

  const WasmModule& module_;
  const Instrumentation& how_;
  std::vector<AddedFunction> added_;
  std::array<std::uint32_t, kNanKinds> canonical_{};
  std::uint32_t shims_ = 0;
  ModuleWriter writer_;
};

}  // namespace

std::string global_name(std::size_t global) { return fmt::format("nur global {}", global); }
std::string lowered_name(std::size_t exported) { return fmt::format("nur call {}", exported); }

Result<std::string> instrument(const WasmModule& module, const Instrumentation& how) {
  if (module.imports.size() != module.imported_functions) {
    return fail(ErrorKind::invalid_input, "imports something other than functions");
  }
  return Instrumenter(module, how).run();
}

}  // namespace nur::fuzz
