#include "tests/spec/externals.h"

namespace nur::spec {
namespace {

External function(std::vector<ValueType> parameters) {
  External external;
  external.type.parameters = std::move(parameters);
  return external;
}

External global(ValueType type, nur_value value) {
  External external;
  external.kind = ExternalKind::global;
  external.value_type = type;
  external.value = value;
  return external;
}

External sized(ExternalKind kind, SizeLimits limits) {
  External external;
  external.kind = kind;
  external.value_type = ValueType::funcref;
  external.limits = limits;
  return external;
}

bool limits_fit(const SizeLimits& given, const SizeLimits& wanted) {
  if (given.initial < wanted.initial) return false;
  return !wanted.max || (given.max && *given.max <= *wanted.max);
}

}  // namespace

External wanted_by(const WasmModule& module, const WasmImport& import) {
  External wanted;
  wanted.kind = import.kind;
  switch (import.kind) {
    case ExternalKind::function:
      wanted.type = module.type_of(import.index);
      break;
    case ExternalKind::table:
      wanted.value_type = module.tables[import.index].element;
      wanted.limits = module.tables[import.index].entries;
      break;
    case ExternalKind::memory:
      wanted.limits = module.memories[import.index].pages;
      break;
    case ExternalKind::global:
      wanted.value_type = module.globals[import.index].type;
      wanted.is_mutable = module.globals[import.index].is_mutable;
      break;
  }
  return wanted;
}

bool is_compatible(const External& given, const External& wanted) {
  if (given.kind != wanted.kind) return false;
  switch (wanted.kind) {
    case ExternalKind::function:
      return given.type == wanted.type;
    case ExternalKind::table:
      return given.value_type == wanted.value_type && limits_fit(given.limits, wanted.limits);
    case ExternalKind::memory:
      return limits_fit(given.limits, wanted.limits);
    case ExternalKind::global:
      return given.value_type == wanted.value_type && given.is_mutable == wanted.is_mutable;
  }
  return false;
}

Result<External> find_in_spectest(std::string_view name) {
  const ValueType i32 = ValueType::i32;
  const ValueType i64 = ValueType::i64;
  const ValueType f32 = ValueType::f32;
  const ValueType f64 = ValueType::f64;
  if (name == "print") return function({});
  if (name == "print_i32") return function({i32});
  if (name == "print_i64") return function({i64});
  if (name == "print_f32") return function({f32});
  if (name == "print_f64") return function({f64});
  if (name == "print_i32_f32") return function({i32, f32});
  if (name == "print_f64_f64") return function({f64, f64});
  if (name == "global_i32") return global(i32, {.i32 = 666});
  if (name == "global_i64") return global(i64, {.i64 = 666});
  if (name == "global_f32") return global(f32, {.f32 = 666.6F});
  if (name == "global_f64") return global(f64, {.f64 = 666.6});
  if (name == "table") return sized(ExternalKind::table, {10, 20});
  if (name == "memory") return sized(ExternalKind::memory, {1, 2});
  return fail(ErrorKind::not_found, "unknown import spectest.{}", name);
}

}  // namespace nur::spec
