// Names of the types in base/manifest.h, as errors, manifests and `nurc inspect` print them.
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/manifest.h"

namespace nur {
namespace {

constexpr std::array<std::pair<ValueType, std::string_view>, 7> kValueTypes{{
    {ValueType::i32, "i32"},
    {ValueType::i64, "i64"},
    {ValueType::f32, "f32"},
    {ValueType::f64, "f64"},
    {ValueType::v128, "v128"},
    {ValueType::funcref, "funcref"},
    {ValueType::externref, "externref"},
}};

constexpr std::array<std::pair<GuestAbi, std::string_view>, 4> kGuestAbis{{
    {GuestAbi::nur, "nur"},
    {GuestAbi::wasi, "wasi"},
    {GuestAbi::handle, "handle"},
    {GuestAbi::typed, "typed"},
}};

constexpr std::array<std::pair<ExternalKind, std::string_view>, 4> kExternalKinds{{
    {ExternalKind::function, "function"},
    {ExternalKind::table, "table"},
    {ExternalKind::memory, "memory"},
    {ExternalKind::global, "global"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value wanted) {
  for (const auto& [value, name] : table) {
    if (value == wanted) return name;
  }
  return "?";
}

template <class Value, std::size_t kCount>
std::optional<Value> value_in(const std::array<std::pair<Value, std::string_view>, kCount>& table,
                              std::string_view wanted) {
  for (const auto& [value, name] : table) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

std::string parenthesised(const std::vector<ValueType>& types) {
  std::string text = "(";
  for (const ValueType type : types) {
    if (text.size() > 1) text += ", ";
    text += to_string(type);
  }
  return text + ")";
}

}  // namespace

std::string_view to_string(ValueType type) { return name_in(kValueTypes, type); }
std::optional<ValueType> value_type_from(std::string_view name) {
  return value_in(kValueTypes, name);
}

std::string to_string(const FunctionType& type) {
  const std::string results = type.results.size() == 1 ? std::string(to_string(type.results[0]))
                                                       : parenthesised(type.results);
  return parenthesised(type.parameters) + " -> " + results;
}

std::string_view to_string(GuestAbi abi) { return name_in(kGuestAbis, abi); }
std::optional<GuestAbi> guest_abi_from(std::string_view name) { return value_in(kGuestAbis, name); }

std::string_view to_string(ExternalKind kind) { return name_in(kExternalKinds, kind); }

}  // namespace nur
