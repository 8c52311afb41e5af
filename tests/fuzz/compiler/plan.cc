#include "tests/fuzz/compiler/plan.h"

#include <cstring>

#include <nlohmann/json.hpp>

#include "tests/fuzz/compiler/instrument.h"

namespace nur::fuzz {
namespace {

constexpr int kCallsPerExport = 3;
// A module with more than that many functions is called through the first of them only.
constexpr std::size_t kExportsMax = 200;

constexpr std::uint64_t kIntegers[] = {0,
                                       1,
                                       2,
                                       3,
                                       7,
                                       8,
                                       15,
                                       16,
                                       31,
                                       32,
                                       33,
                                       63,
                                       64,
                                       100,
                                       127,
                                       128,
                                       255,
                                       256,
                                       4095,
                                       32767,
                                       32768,
                                       65535,
                                       65536,
                                       0xfffff,
                                       0x7fffffff,
                                       0x80000000,
                                       0xfffffffe,
                                       0xffffffff,
                                       0x100000000,
                                       0x7fffffffffffffff,
                                       0x8000000000000000,
                                       0xfffffffffffffffe,
                                       0xffffffffffffffff};

// Zeros, ones, infinities, NaNs (quiet and signalling), subnormals, and both sides of the ends of
// the integers' ranges.
constexpr std::uint32_t kSingles[] = {
    0,          0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0x40490fdb, 0x7f800000,
    0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffbfffff, 0x7fffffff, 0x00000001,
    0x807fffff, 0x7f7fffff, 0xff7fffff, 0x4f000000, 0x4effffff, 0xcf000000, 0xcf000001,
    0x4f800000, 0x4f7fffff, 0x5f000000, 0x5effffff, 0xdf000000, 0x5f800000, 0x00800000};
constexpr std::uint64_t kDoubles[] = {0,
                                      0x8000000000000000,
                                      0x3ff0000000000000,
                                      0xbff0000000000000,
                                      0x3fe0000000000000,
                                      0x400921fb54442d18,
                                      0x7ff0000000000000,
                                      0xfff0000000000000,
                                      0x7ff8000000000000,
                                      0xfff8000000000000,
                                      0x7ff0000000000001,
                                      0xfff7ffffffffffff,
                                      0x7fffffffffffffff,
                                      0x0000000000000001,
                                      0x800fffffffffffff,
                                      0x7fefffffffffffff,
                                      0x41dfffffffc00000,
                                      0x41dfffffffffffff,
                                      0x41e0000000000000,
                                      0xc1e0000000000000,
                                      0xc1e00000001fffff,
                                      0xc1e0000000200000,
                                      0x41efffffffe00000,
                                      0x41efffffffffffff,
                                      0x41f0000000000000,
                                      0x43dfffffffffffff,
                                      0x43e0000000000000,
                                      0xc3e0000000000000,
                                      0x43f0000000000000,
                                      0x36a0000000000000,
                                      0x47efffffefffffff};

std::uint64_t integer(Random& random) {
  switch (random.below(4)) {
    case 0:
      return random.next();
    case 1:
      return random.below(70000);
    default:
      return kIntegers[random.below(std::size(kIntegers))];
  }
}

std::uint32_t single(Random& random) {
  if (random.one_in(3)) return static_cast<std::uint32_t>(random.next());
  return kSingles[random.below(std::size(kSingles))];
}

std::uint64_t twice(Random& random) {
  if (random.one_in(3)) return random.next();
  return kDoubles[random.below(std::size(kDoubles))];
}

nur_value argument(ValueType type, Random& random) {
  nur_value value{};
  switch (type) {
    case ValueType::i32:
      value.i32 = static_cast<std::uint32_t>(integer(random));
      break;
    case ValueType::i64:
      value.i64 = integer(random);
      break;
    case ValueType::f32:
      value.i32 = single(random);
      break;
    case ValueType::f64:
      value.i64 = twice(random);
      break;
    case ValueType::v128: {
      std::uint64_t halves[2];
      for (std::uint64_t& half : halves) {
        half = random.one_in(2) ? twice(random) : integer(random);
        if (random.one_in(4)) half = (std::uint64_t{single(random)} << 32) | single(random);
      }
      std::memcpy(value.v128, halves, sizeof halves);
      break;
    }
    case ValueType::funcref:  // null: there is no function of the host's to pass
      break;
    case ValueType::externref:
      value.i64 = random.below(2);
      break;
  }
  return value;
}

std::string letters(const std::vector<ValueType>& types) {
  std::string text;
  for (const ValueType type : types) text += letter_of(type);
  return text;
}

}  // namespace

char letter_of(ValueType type) { return "iIfFvre"[static_cast<std::size_t>(type)]; }

std::string to_word(ValueType type, const nur_value& value) {
  const char letter = letter_of(type);
  switch (type) {
    case ValueType::i32:
    case ValueType::f32:
      return fmt::format("{}{:08x}", letter, value.i32);
    case ValueType::i64:
    case ValueType::f64:
      return fmt::format("{}{:016x}", letter, value.i64);
    case ValueType::v128: {
      std::uint64_t halves[2];
      std::memcpy(halves, value.v128, sizeof halves);
      return fmt::format("{}{:016x}{:016x}", letter, halves[1], halves[0]);
    }
    case ValueType::funcref:
    case ValueType::externref:
      break;
  }
  return fmt::format("r{}", value.reference == nullptr ? 1 : 0);
}

CallPlan make_plan(const WasmModule& module, Random random) {
  CallPlan plan;
  plan.has_memory = !module.memories.empty();
  plan.has_start = module.start.has_value();
  for (const WasmImport& import : module.imports) {
    plan.imports.push_back(
        {fmt::format("{}.{}", import.module, import.name), module.type_of(import.index)});
  }
  for (const WasmGlobal& global : module.globals) plan.globals.push_back(global.type);
  for (const WasmExport& exported : module.exports) {
    if (exported.kind != ExternalKind::function) continue;
    if (exported.name == kHangLimitName) plan.hang_limiter = plan.exports.size();
    plan.exports.push_back({std::string(exported.name), module.type_of(exported.index)});
  }

  std::vector<PlannedCall> of_all;
  for (std::size_t i = 0; i < plan.exports.size() && of_all.size() < kExportsMax; ++i) {
    if (i == plan.hang_limiter) continue;
    std::vector<PlannedCall> group;
    for (int call = 0; call <= kCallsPerExport; ++call) {
      PlannedCall planned{i, {}};
      for (const ValueType type : plan.exports[i].type.parameters) {
        planned.arguments.push_back(argument(type, random));
      }
      (call == kCallsPerExport ? of_all : group).push_back(std::move(planned));
    }
    plan.groups.push_back(std::move(group));
  }
  plan.groups.push_back(std::move(of_all));
  return plan;
}

std::string to_json_line(const CallPlan& plan, const std::string& file) {
  using Json = nlohmann::json;
  Json json;
  json["file"] = file;
  json["memory"] = plan.has_memory ? Json(kMemoryName) : Json(nullptr);
  json["start"] = plan.has_start;
  json["imports"] = Json::array();
  for (const PlannedExport& import : plan.imports) {
    json["imports"].push_back(letters(import.type.parameters));
  }
  json["exports"] = Json::array();
  for (std::size_t i = 0; i < plan.exports.size(); ++i) {
    const FunctionType& type = plan.exports[i].type;
    json["exports"].push_back({lowered_name(i), letters(type.parameters), letters(type.results)});
  }
  json["globals"] = Json::array();
  for (std::size_t i = 0; i < plan.globals.size(); ++i) {
    json["globals"].push_back({global_name(i), std::string(1, letter_of(plan.globals[i]))});
  }
  json["hangLimiter"] = plan.hang_limiter ? Json(lowered_name(*plan.hang_limiter)) : Json(nullptr);
  json["groups"] = Json::array();
  for (const auto& group : plan.groups) {
    Json calls = Json::array();
    for (const PlannedCall& call : group) {
      Json words = Json::array();
      for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        words.push_back(to_word(plan.exports[call.exported].type.parameters[i], call.arguments[i]));
      }
      calls.push_back({call.exported, words});
    }
    json["groups"].push_back(calls);
  }
  return json.dump() + "\n";
}

}  // namespace nur::fuzz
