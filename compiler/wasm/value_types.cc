#include "compiler/wasm/value_types.h"

#include <algorithm>

namespace nur {
namespace {

// What the byte of a type stands for when it is none of WebAssembly 2.0.
std::optional<Feature> feature_of_type(std::uint8_t byte) {
  switch (byte) {
    case 0x63:  // (ref null t)
    case 0x64:  // (ref t)
      return Feature::typed_function_references;
    case 0x69:  // exnref
    case 0x74:  // noexn
      return Feature::exceptions;
    case 0x4e:  // rec
    case 0x4f:  // sub final
    case 0x50:  // sub
    case 0x5e:  // array
    case 0x5f:  // struct
    case 0x6a:  // arrayref
    case 0x6b:  // structref
    case 0x6c:  // i31ref
    case 0x6d:  // eqref
    case 0x6e:  // anyref
    case 0x71:  // none
    case 0x72:  // noextern
    case 0x73:  // nofunc
      return Feature::garbage_collection;
    default:
      return std::nullopt;
  }
}

// `what` was expected and `byte`, at `at`, is none.
std::unexpected<Error> no_type(const SectionReader& reader, std::size_t at, std::string_view what,
                               std::uint8_t byte) {
  if (const auto feature = feature_of_type(byte)) {
    return refuse_feature(*feature, fmt::format("type {:#04x}", byte), at);
  }
  return reader.malformed(at, "{:#04x} is no {}", byte, what);
}

// Bits of the byte before limits.
constexpr std::uint8_t kHasMax = 0x01;
constexpr std::uint8_t kShared = 0x02;
constexpr std::uint8_t kIs64 = 0x04;
constexpr std::uint8_t kHasPageSize = 0x08;

Result<SizeLimits> read_limits(SectionReader& reader) {
  const std::size_t at = reader.offset();
  const std::uint8_t flags = NUR_TRY(reader.byte("limits"));
  if (flags > (kHasMax | kShared | kIs64 | kHasPageSize)) {
    return reader.malformed(at, "limits start with {:#04x}, expected 0 or 1", flags);
  }
  if (flags & kIs64) return refuse_feature(Feature::memory64, "64-bit limits", at);
  if (flags & kShared) return refuse_feature(Feature::threads, "shared limits", at);
  if (flags & kHasPageSize) return refuse_feature(Feature::custom_page_sizes, "page size", at);

  SizeLimits limits;
  limits.initial = NUR_TRY(reader.u32("initial size"));
  if (flags & kHasMax) {
    limits.max = NUR_TRY(reader.u32("maximum size"));
    if (*limits.max < limits.initial) {
      return reader.malformed(at, "the maximum, {}, is below the initial size, {}", *limits.max,
                              limits.initial);
    }
  }
  return limits;
}

constexpr std::uint32_t kPagesMax = 65'536;  // of a 32-bit memory

}  // namespace

Result<ValueType> read_value_type(SectionReader& reader, FeatureSet& features) {
  const std::size_t at = reader.offset();
  const std::uint8_t byte = NUR_TRY(reader.byte("value type"));
  switch (byte) {
    case 0x7f:
      return ValueType::i32;
    case 0x7e:
      return ValueType::i64;
    case 0x7d:
      return ValueType::f32;
    case 0x7c:
      return ValueType::f64;
    case 0x7b:
      features.add(Feature::simd);
      return ValueType::v128;
    case 0x70:
      features.add(Feature::reference_types);
      return ValueType::funcref;
    case 0x6f:
      features.add(Feature::reference_types);
      return ValueType::externref;
    default:
      return no_type(reader, at, "value type", byte);
  }
}

Result<ValueType> read_reference_type(SectionReader& reader, FeatureSet& features) {
  const std::size_t at = reader.offset();
  const std::uint8_t byte = NUR_TRY(reader.byte("reference type"));
  switch (byte) {
    case 0x70:  // tables of functions are older than reference types
      return ValueType::funcref;
    case 0x6f:
      features.add(Feature::reference_types);
      return ValueType::externref;
    default:
      return no_type(reader, at, "reference type", byte);
  }
}

Result<ValueType> read_heap_type(SectionReader& reader, FeatureSet& features) {
  const std::size_t at = reader.offset();
  const std::uint8_t byte = NUR_TRY(reader.peek("heap type"));
  // Type indices are positive numbers of a signed LEB128.
  if ((byte & 0x80) != 0 || byte < 0x40) {
    return refuse_feature(Feature::typed_function_references, "ref.null of a type index", at);
  }
  return read_reference_type(reader, features);
}

Result<FunctionType> read_function_type(SectionReader& reader, const ModuleLimits& limits,
                                        FeatureSet& features) {
  const std::size_t at = reader.offset();
  const std::uint8_t form = NUR_TRY(reader.byte("function type"));
  if (form != 0x60) return no_type(reader, at, "function type", form);

  FunctionType type;
  const std::uint32_t parameters = NUR_TRY(reader.count("number of parameters"));
  if (parameters > limits.parameters) {
    return reader.over_limit(parameters, "parameters of a function type", limits.parameters);
  }
  type.parameters.reserve(parameters);
  for (std::uint32_t index = 0; index < parameters; ++index) {
    type.parameters.push_back(NUR_TRY(read_value_type(reader, features)));
  }
  const std::uint32_t results = NUR_TRY(reader.count("number of results"));
  if (results > limits.results) {
    return reader.over_limit(results, "results of a function type", limits.results);
  }
  type.results.reserve(results);
  for (std::uint32_t index = 0; index < results; ++index) {
    type.results.push_back(NUR_TRY(read_value_type(reader, features)));
  }
  if (results > 1) features.add(Feature::multi_value);
  return type;
}

Result<SizeLimits> read_memory_limits(SectionReader& reader, const ModuleLimits& limits) {
  const std::size_t at = reader.offset();
  const SizeLimits memory = NUR_TRY(read_limits(reader));
  if (memory.initial > kPagesMax || memory.max.value_or(0) > kPagesMax) {
    return reader.malformed(at, "a memory of {} pages, a 32-bit one has at most {}",
                            std::max(memory.initial, memory.max.value_or(0)), kPagesMax);
  }
  if (memory.initial > limits.memory_pages) {
    return reader.over_limit(memory.initial, "initial pages of memory", limits.memory_pages);
  }
  return memory;
}

Result<SizeLimits> read_table_limits(SectionReader& reader, const ModuleLimits& limits) {
  const SizeLimits table = NUR_TRY(read_limits(reader));
  if (table.initial > limits.table_entries) {
    return reader.over_limit(table.initial, "initial entries of a table", limits.table_entries);
  }
  return table;
}

}  // namespace nur
