#include "host/abi/typed/typed_call.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace nur {
namespace {

bool is_number(ValueType type) {
  return type == ValueType::i32 || type == ValueType::i64 || type == ValueType::f32 ||
         type == ValueType::f64;
}

template <class T>
std::optional<T> parse_whole(std::string_view text, int base) {
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// Both ways to write the same bits are taken: -1 and 4294967295.
template <class Unsigned>
std::optional<Unsigned> parse_integer(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    return parse_whole<Unsigned>(text.substr(2), 16);
  }
  if (text.starts_with('-')) {
    const auto negative = parse_whole<std::make_signed_t<Unsigned>>(text, 10);
    if (!negative) return std::nullopt;
    return static_cast<Unsigned>(*negative);
  }
  return parse_whole<Unsigned>(text, 10);
}

template <class Float>
std::optional<Float> parse_float(std::string_view text) {
  Float value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

bool parse_into(ValueType type, std::string_view text, nur_value& value) {
  const auto store = [](const auto& parsed, auto& place) {
    if (parsed) place = *parsed;
    return parsed.has_value();
  };
  value.i64 = 0;
  switch (type) {
    case ValueType::i32:
      return store(parse_integer<std::uint32_t>(text), value.i32);
    case ValueType::i64:
      return store(parse_integer<std::uint64_t>(text), value.i64);
    case ValueType::f32:
      return store(parse_float<float>(text), value.f32);
    case ValueType::f64:
      return store(parse_float<double>(text), value.f64);
    default:
      return false;
  }
}

std::string format_value(ValueType type, const nur_value& value) {
  switch (type) {
    case ValueType::i32:
      return fmt::format("{}", static_cast<std::int32_t>(value.i32));
    case ValueType::i64:
      return fmt::format("{}", static_cast<std::int64_t>(value.i64));
    case ValueType::f32:
      return fmt::format("{}", value.f32);
    case ValueType::f64:
      return fmt::format("{}", value.f64);
    default:
      return "?";
  }
}

}  // namespace

bool is_callable_with_numbers(const FunctionType& type) {
  return std::ranges::all_of(type.parameters, is_number) &&
         std::ranges::all_of(type.results, is_number);
}

const ManifestExport* choose_typed_export(const Manifest& manifest, std::string_view name) {
  const auto usable = [](const ManifestExport& candidate) {
    return candidate.kind == ExternalKind::function && is_callable_with_numbers(candidate.type);
  };
  for (const std::string_view wanted : {name, std::string_view("run"), std::string_view("main")}) {
    const ManifestExport* const found = manifest.find_function(wanted);
    if (found != nullptr && usable(*found)) return found;
  }
  const auto meant = [&](const ManifestExport& candidate) {
    return usable(candidate) && !candidate.name.starts_with('_');
  };
  const auto only = [&](const auto& is_one) -> const ManifestExport* {
    if (std::ranges::count_if(manifest.exports, is_one) != 1) return nullptr;
    return &*std::ranges::find_if(manifest.exports, is_one);
  };
  return std::ranges::any_of(manifest.exports, meant) ? only(meant) : only(usable);
}

std::vector<std::string> split_arguments(std::string_view text) {
  std::vector<std::string> arguments;
  if (text.empty()) return arguments;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view piece = text.substr(0, comma);
    while (piece.starts_with(' ')) piece.remove_prefix(1);
    while (piece.ends_with(' ')) piece.remove_suffix(1);
    arguments.emplace_back(piece);
    if (comma == std::string_view::npos) return arguments;
    text.remove_prefix(comma + 1);
  }
}

TypedCall::TypedCall(const ManifestExport& function, void* context)
    : function_(function),
      context_(context),
      values_(std::max(
          {function.type.parameters.size(), function.type.results.size(), std::size_t{1}})) {}

Result<TypedCall> TypedCall::prepare(const ManifestExport& function,
                                     const std::vector<std::string>& arguments, void* context) {
  const std::vector<ValueType>& types = function.type.parameters;
  if (!is_callable_with_numbers(function.type)) {
    return fail(ErrorKind::invalid_input,
                "{} has the type {}; only i32, i64, f32 and f64 can be "
                "given as text",
                function.name, to_string(function.type));
  }
  if (arguments.size() != types.size()) {
    return fail(ErrorKind::invalid_input, "{} takes {} argument(s) {}, {} given", function.name,
                types.size(), to_string(function.type), arguments.size());
  }
  TypedCall call(function, context);
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!parse_into(types[i], arguments[i], call.values_[i])) {
      return fail(ErrorKind::invalid_input, "argument {} of {}: \"{}\" is no {}", i + 1,
                  function.name, arguments[i], to_string(types[i]));
    }
  }
  return call;
}

void TypedCall::initialize_by(const Manifest& manifest) {
  const ManifestExport* const found = manifest.find_function("_initialize");
  if (found != nullptr && found->type == FunctionType{} && found->entry != function_.entry) {
    initialize_ = found->entry;
  }
}

std::expected<std::optional<Invocation::Call>, nur_trap> TypedCall::next_call(const GuestMemory&) {
  if (initialize_) return Call{*std::exchange(initialize_, std::nullopt), std::span(&unused_, 1)};
  if (called_) return std::nullopt;
  called_ = true;
  return Call{function_.entry, values_};
}

std::vector<std::string> TypedCall::results() const {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < function_.type.results.size(); ++i) {
    texts.push_back(format_value(function_.type.results[i], values_[i]));
  }
  return texts;
}

}  // namespace nur
