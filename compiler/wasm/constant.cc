#include "compiler/wasm/constant.h"

#include <cstring>
#include <string_view>
#include <vector>

#include "compiler/wasm/value_types.h"
#include "compiler/wasm/wasm_module.h"

namespace nur {
namespace {

enum Opcode : std::uint8_t {
  kEnd = 0x0b,
  kGlobalGet = 0x23,
  kI32Const = 0x41,
  kI64Const = 0x42,
  kF32Const = 0x43,
  kF64Const = 0x44,
  kI32Add = 0x6a,
  kI32Sub = 0x6b,
  kI32Mul = 0x6c,
  kI64Add = 0x7c,
  kI64Sub = 0x7d,
  kI64Mul = 0x7e,
  kRefNull = 0xd0,
  kRefFunc = 0xd2,
  kGcPrefix = 0xfb,
  kVectorPrefix = 0xfd,
};
constexpr std::uint32_t kV128Const = 0x0c;

class Evaluator {
 public:
  Evaluator(SectionReader& reader, const ModuleLimits& limits, WasmModule& module)
      : reader_(reader), limits_(limits), module_(module) {}

  Result<ConstantExpression> run(ValueType type) {
    const std::size_t start = reader_.offset();
    for (std::uint64_t instructions = 1;; ++instructions) {
      const std::size_t at = reader_.offset();
      const std::uint8_t opcode = NUR_TRY(reader_.byte("end of the constant expression"));
      if (opcode == kEnd) break;
      if (instructions > limits_.constant_instructions) {
        return reader_.over_limit(instructions, "instructions of a constant expression",
                                  limits_.constant_instructions);
      }
      NUR_TRY(step(opcode, at));
      if (stack_.size() > limits_.constant_operands) {
        return reader_.over_limit(stack_.size(), "values on the stack of a constant expression",
                                  limits_.constant_operands);
      }
    }
    if (stack_.size() != 1) {
      return reader_.malformed(start, "a constant expression leaves {} values, expected one",
                               stack_.size());
    }
    if (stack_[0].type != type) {
      return reader_.malformed(start, "a constant expression is of type {}, expected {}",
                               to_string(stack_[0].type), to_string(type));
    }
    return stack_[0];
  }

 private:
  Result<void> step(std::uint8_t opcode, std::size_t at) {
    switch (opcode) {
      case kI32Const:
        push(ValueType::i32, static_cast<std::uint32_t>(NUR_TRY(reader_.s32("i32.const"))));
        return {};
      case kI64Const:
        push(ValueType::i64, static_cast<std::uint64_t>(NUR_TRY(reader_.s64("i64.const"))));
        return {};
      case kF32Const:
        push(ValueType::f32, bits(NUR_TRY(reader_.take(4, "f32.const"))));
        return {};
      case kF64Const:
        push(ValueType::f64, bits(NUR_TRY(reader_.take(8, "f64.const"))));
        return {};
      case kVectorPrefix:
        return vector_constant(at);
      case kGlobalGet:
        return global_get(at);
      case kRefNull:
        push(NUR_TRY(read_heap_type(reader_, module_.features)), kNullReference);
        return {};
      case kRefFunc:
        module_.features.add(Feature::reference_types);
        return function_reference();
      case kI32Add:
      case kI32Sub:
      case kI32Mul:
        return arithmetic(ValueType::i32, opcode - kI32Add, at);
      case kI64Add:
      case kI64Sub:
      case kI64Mul:
        return arithmetic(ValueType::i64, opcode - kI64Add, at);
      case kGcPrefix:
        return refuse_feature(Feature::garbage_collection, "constant expression", at);
      default:
        return reader_.malformed(at, "opcode {:#04x} is not allowed in a constant expression",
                                 opcode);
    }
  }

  void push(ValueType type, std::uint64_t low, std::uint64_t high = 0) {
    stack_.push_back({type, Constant{type, low, high}});
  }

  static std::uint64_t bits(std::string_view bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  Result<void> vector_constant(std::size_t at) {
    const std::uint32_t opcode = NUR_TRY(reader_.u32("SIMD opcode"));
    if (opcode != kV128Const) {
      return reader_.malformed(at, "opcode 0xfd {:#04x} is not allowed in a constant expression",
                               opcode);
    }
    module_.features.add(Feature::simd);
    const std::string_view bytes = NUR_TRY(reader_.take(16, "v128.const"));
    push(ValueType::v128, bits(bytes.substr(0, 8)), bits(bytes.substr(8)));
    return {};
  }

  Result<void> function_reference() {
    const std::uint32_t function = NUR_TRY(reader_.index("function", module_.functions.size()));
    module_.declare_reference(function);
    push(ValueType::funcref, function);
    return {};
  }

  Result<void> global_get(std::size_t at) {
    const std::uint32_t index = NUR_TRY(reader_.index("global", module_.globals.size()));
    const WasmGlobal& global = module_.globals[index];
    if (global.is_mutable) {
      return reader_.malformed(at, "a constant expression reads global {}, which is mutable",
                               index);
    }
    if (global.initializer) {
      return reader_.malformed(at, "a constant expression reads global {}, which is not imported",
                               index);
    }
    stack_.push_back({global.type, std::nullopt});
    return {};
  }

  // `operation`: 0 add, 1 subtract, 2 multiply.
  Result<void> arithmetic(ValueType type, int operation, std::size_t at) {
    module_.features.add(Feature::extended_const);
    const std::size_t size = stack_.size();
    if (size < 2 || stack_[size - 1].type != type || stack_[size - 2].type != type) {
      return reader_.malformed(at, "an operation on {} lacks its two operands", to_string(type));
    }
    const ConstantExpression right = stack_.back();
    stack_.pop_back();
    ConstantExpression& left = stack_.back();
    if (!left.value || !right.value) {
      left.value.reset();
      return {};
    }
    const std::uint64_t a = left.value->low;
    const std::uint64_t b = right.value->low;
    const std::uint64_t wide = operation == 0 ? a + b : operation == 1 ? a - b : a * b;
    left.value->low = type == ValueType::i32 ? static_cast<std::uint32_t>(wide) : wide;
    return {};
  }

  SectionReader& reader_;
  const ModuleLimits& limits_;
  WasmModule& module_;
  std::vector<ConstantExpression> stack_;
};

}  // namespace

Result<ConstantExpression> read_constant(SectionReader& reader, const ModuleLimits& limits,
                                         WasmModule& module, ValueType type) {
  return Evaluator(reader, limits, module).run(type);
}

}  // namespace nur
