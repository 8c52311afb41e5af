#include "base/manifest.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nur/abi.h"
#include "tests/support/craft_artefact.h"

namespace nur {
namespace {

using testing::HasSubstr;

Manifest full_manifest() {
  Manifest manifest = test::crafted_manifest();
  manifest.guest_abi = GuestAbi::wasi;
  manifest.imports = {{.module = "wasi_snapshot_preview1",
                       .name = "fd_write",
                       .type = {.parameters = {ValueType::i32, ValueType::i64, ValueType::f32,
                                               ValueType::f64, ValueType::v128},
                                .results = {ValueType::funcref, ValueType::externref}}}};
  manifest.exports.push_back(
      {.name = "a \"quoted\"\n\u00e9\t name", .kind = ExternalKind::table, .type = {}});
  manifest.exports.push_back({.name = "counter", .kind = ExternalKind::global, .type = {}});
  manifest.tables = {{.element = ValueType::externref, .initial = 2, .capacity = 30}};
  manifest.has_start = true;
  manifest.target_cpu = CpuLevel::v3;
  manifest.limits = {{"module_bytes", std::uint64_t{5} << 30}, {"tables", 100}};
  return manifest;
}

// The JSON of the full manifest with one piece of text replaced.
std::string with(std::string_view from, std::string_view to) {
  std::string json = to_json(full_manifest());
  const std::size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return json.replace(at, from.size(), to);
}

std::string error_of(std::string_view json) {
  const Result<Manifest> manifest = manifest_from_json(json);
  if (manifest) return "";
  EXPECT_EQ(manifest.error().kind, ErrorKind::invalid_input);
  return manifest.error().message;
}

TEST(Manifest, ComesBackAsItWasWritten) {
  const Result<Manifest> manifest = manifest_from_json(to_json(full_manifest()));
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(*manifest, full_manifest());
}

TEST(Manifest, ComesBackWithoutAMemory) {
  Manifest without = full_manifest();
  without.memory.reset();
  const Result<Manifest> manifest = manifest_from_json(to_json(without));
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(*manifest, without);
}

TEST(Manifest, IsWrittenInAFixedOrder) {
  const std::string json = to_json(test::crafted_manifest());
  EXPECT_TRUE(json.starts_with(
      fmt::format("{{\n  \"abi_version\": {},\n  \"guest_abi\": \"typed\",\n", NUR_ABI_VERSION)))
      << json;
  EXPECT_TRUE(json.ends_with(
      "\n  \"compiler\": \"g++\",\n  \"flags\": \"-O2\",\n  \"stripped\": false\n}\n"))
      << json;
  EXPECT_EQ(json, to_json(test::crafted_manifest()));
}

TEST(Manifest, WritesTextThatIsNotUtf8) {
  Manifest manifest = full_manifest();
  manifest.compiler = "g++ \xff";
  const Result<Manifest> read = manifest_from_json(to_json(manifest));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->compiler, "g++ \xef\xbf\xbd");
}

TEST(Manifest, NeedNotSayItsLimits) {
  Manifest without = full_manifest();
  without.limits.clear();
  EXPECT_EQ(manifest_from_json(to_json(without)).value(), without);
}

TEST(Manifest, FindsFunctionsAndNothingElse) {
  const Manifest manifest = full_manifest();
  ASSERT_NE(manifest.find_function("add"), nullptr);
  EXPECT_EQ(manifest.find_function("add")->type.results.size(), 1u);
  EXPECT_EQ(manifest.find_function("memory"), nullptr);
  EXPECT_EQ(manifest.find_function("missing"), nullptr);
}

TEST(Manifest, IgnoresUnknownKeys) {
  const Result<Manifest> manifest =
      manifest_from_json(with("\"has_start\"", "\"later\": [{\"x\": null}], \"has_start\""));
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(*manifest, full_manifest());
}

TEST(Manifest, IsOfAnArtefactWithItsFunctionsUnlessItSaysStripped) {
  Manifest stripped = full_manifest();
  stripped.stripped = true;
  EXPECT_TRUE(manifest_from_json(to_json(stripped))->stripped);

  const Result<Manifest> silent = manifest_from_json(with(",\n  \"stripped\": false", ""));
  ASSERT_TRUE(silent) << silent.error().message;
  EXPECT_FALSE(silent->stripped);
  EXPECT_THAT(error_of(with("\"stripped\": false", "\"stripped\": 0")), HasSubstr("stripped"));
}

TEST(Manifest, RefusesTextThatIsNotAnObject) {
  EXPECT_THAT(error_of(""), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("{"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("{\"a\": \"\xff\"}"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of(std::string_view("{}\0", 3)), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("null"), HasSubstr("not a JSON object"));
}

TEST(Manifest, RefusesEveryMissingKey) {
  for (const char* const key :
       {"abi_version",   "guest_abi",  "wasm_sha256",  "target_cpu",     "imports",  "exports",
        "tables",        "has_start",  "nurc_version", "wasm2c_version", "compiler", "flags",
        "initial_pages", "max_pages",  "imported",     "module",         "name",     "kind",
        "entry",         "parameters", "results",      "element",        "initial",  "capacity"}) {
    const std::string quoted = fmt::format("\"{}\":", key);
    const std::string error = error_of(with(quoted, "\"renamed\":"));
    EXPECT_THAT(error, HasSubstr(key));
    EXPECT_THAT(error, HasSubstr("is missing"));
  }
}

TEST(Manifest, RefusesValuesOfTheWrongType) {
  EXPECT_THAT(
      error_of(with(fmt::format("\"abi_version\": {}", NUR_ABI_VERSION), "\"abi_version\": \"1\"")),
      HasSubstr("abi_version is not a whole number"));
  EXPECT_THAT(error_of(with("\"has_start\": true", "\"has_start\": 1")),
              HasSubstr("has_start is not true or false"));
  EXPECT_THAT(error_of(with("\"compiler\": \"g++\"", "\"compiler\": null")),
              HasSubstr("compiler is not a string"));
  EXPECT_THAT(error_of(with("\"tables\": [", "\"tables\": 3, \"unused\": [")),
              HasSubstr("tables is not an array"));
  EXPECT_THAT(error_of(with("\"exports\": [", "\"exports\": [7, ")),
              HasSubstr("exports[0] is not an object"));
  EXPECT_THAT(error_of(with("\"memory\": {", "\"memory\": 3, \"unused\": {")),
              HasSubstr("memory is not an object"));
  EXPECT_THAT(error_of(with("\"limits\": {", "\"limits\": [], \"unused\": {")),
              HasSubstr("limits is not an object"));
  EXPECT_THAT(error_of(with("\"tables\": 100", "\"tables\": -1")),
              HasSubstr("limits.tables is not a whole number"));
  EXPECT_THAT(error_of(with("\"results\": [", "\"results\": [{}, ")),
              HasSubstr("imports[0].results is not an array of value types"));
}

TEST(Manifest, RefusesNumbersOutOfRange) {
  for (const char* const number : {"-1", "1.5", "4294967296", "1e3", "99999999999999999999"}) {
    EXPECT_THAT(error_of(with("\"entry\": 0", fmt::format("\"entry\": {}", number))),
                HasSubstr("exports[0].entry is not a whole number"))
        << number;
  }
  EXPECT_THAT(error_of(with("\"max_pages\": 16", "\"max_pages\": 65537")),
              HasSubstr("memory.max_pages is not a whole number from 0 to 65536"));
  EXPECT_THAT(error_of(with("\"initial_pages\": 1", "\"initial_pages\": 17")),
              HasSubstr("memory.initial_pages is not a whole number from 0 to 16"));
  EXPECT_THAT(error_of(with("\"initial\": 2", "\"initial\": 31")),
              HasSubstr("tables[0].initial is not a whole number from 0 to 30"));
}

TEST(Manifest, RefusesUnknownNames) {
  EXPECT_THAT(error_of(with("\"wasi\"", "\"emacs\"")), HasSubstr("guest_abi is not"));
  EXPECT_THAT(error_of(with("x86-64-v3", "x86-64-v9")), HasSubstr("target_cpu is not"));
  EXPECT_THAT(error_of(with("\"global\"", "\"tag\"")), HasSubstr("exports[3].kind is not"));
  EXPECT_THAT(error_of(with("\"element\": \"externref\"", "\"element\": \"i32\"")),
              HasSubstr("tables[0].element is not"));
  EXPECT_THAT(error_of(with("\"i64\"", "\"i65\"")),
              HasSubstr("imports[0].parameters is not an array of value types"));
  EXPECT_THAT(error_of(with(full_manifest().wasm_sha256, std::string(63, 'a'))),
              HasSubstr("wasm_sha256 is not"));
  EXPECT_THAT(error_of(with(full_manifest().wasm_sha256, std::string(64, 'A'))),
              HasSubstr("wasm_sha256 is not"));
}

TEST(Manifest, RefusesTwoExportsOfOneName) {
  EXPECT_THAT(error_of(with("\"counter\"", "\"add\"")), HasSubstr("\"add\" twice"));
}

TEST(Manifest, RefusesAKeyThatIsThereTwice) {
  EXPECT_THAT(error_of(with("\"has_start\"", "\"flags\": \"\", \"has_start\"")),
              HasSubstr("twice"));
  EXPECT_THAT(error_of(with("\"entry\"", "\"entry\": 7, \"entry\"")), HasSubstr("twice"));
}

TEST(Manifest, RefusesDeepNestingWithoutRecursion) {
  for (const char* const open : {"[", "{\"a\":"}) {
    std::string deep = "{\"abi_version\": 1, \"x\": ";
    for (int i = 0; i < 1'000'000; ++i) deep += open;
    EXPECT_THAT(error_of(deep), HasSubstr("nested too deeply")) << open;
  }
}

// An exception that left the parser would end the test program.
TEST(Manifest, RefusesOrReadsWhateverAByteBecomes) {
  std::mt19937_64 random(20260131);
  const std::string good = to_json(full_manifest());
  std::size_t read = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string json = good;
    for (std::size_t changes = 1 + random() % 3; changes != 0; --changes) {
      json[random() % json.size()] = static_cast<char>(random());
    }
    if (manifest_from_json(json)) ++read;
  }
  EXPECT_GT(read, 10u);
  EXPECT_LT(read, 4000u);
}

TEST(Manifest, RefusesMoreThanItsCap) {
  EXPECT_THAT(error_of(std::string(kManifestBytesMax + 1, ' ')), HasSubstr("at most 8388608"));
}

TEST(Manifest, TellsItsVersionWhenTheRestIsOfAnother) {
  EXPECT_EQ(abi_version_from_json("{\"abi_version\": 9, \"exports\": 1}").value_or(0), 9u);
  EXPECT_FALSE(abi_version_from_json("{}"));
  EXPECT_FALSE(abi_version_from_json("{\"abi_version\": -9}"));
}

TEST(CpuLevel, HasANameThatIsReadBack) {
  for (const CpuLevel level : {CpuLevel::v1, CpuLevel::v2, CpuLevel::v3, CpuLevel::v4}) {
    EXPECT_EQ(cpu_level_from(to_string(level)), level);
  }
  EXPECT_EQ(to_string(CpuLevel::v2), "x86-64-v2");
  EXPECT_EQ(cpu_level_from("v3"), CpuLevel::v3);
  EXPECT_FALSE(cpu_level_from("v5"));
  EXPECT_FALSE(cpu_level_from("x86-64"));
  EXPECT_FALSE(cpu_level_from(""));
}

TEST(CpuLevel, IsWhatTheKernelSaysOfThisMachine) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line) && !line.starts_with("flags")) {
  }
  ASSERT_TRUE(line.starts_with("flags"));
  const auto has = [&](std::initializer_list<const char*> flags) {
    std::istringstream words(line);
    const std::set<std::string> known{std::istream_iterator<std::string>(words), {}};
    return std::ranges::all_of(flags, [&](const char* flag) { return known.contains(flag); });
  };
  CpuLevel level = CpuLevel::v1;
  if (has({"cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"})) {
    level = CpuLevel::v2;
    if (has({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})) {
      level = CpuLevel::v3;
      if (has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})) level = CpuLevel::v4;
    }
  }
  EXPECT_EQ(to_string(cpu_level_here()), to_string(level));
}

TEST(ValueType, HasANameThatIsReadBack) {
  EXPECT_EQ(to_string(ValueType::externref), "externref");
  EXPECT_EQ(value_type_from("v128"), ValueType::v128);
  EXPECT_FALSE(value_type_from("i31"));
}

TEST(FunctionType, IsWrittenAsInTheSpec) {
  EXPECT_EQ(to_string(FunctionType{}), "() -> ()");
  EXPECT_EQ(to_string(FunctionType{{ValueType::i32, ValueType::i64}, {ValueType::i32}}),
            "(i32, i64) -> i32");
  EXPECT_EQ(to_string(FunctionType{{}, {ValueType::f32, ValueType::f64}}), "() -> (f32, f64)");
}

TEST(GuestAbi, HasANameThatIsReadBack) {
  for (const GuestAbi abi : {GuestAbi::nur, GuestAbi::wasi, GuestAbi::handle, GuestAbi::typed}) {
    EXPECT_EQ(guest_abi_from(to_string(abi)), abi);
  }
  EXPECT_FALSE(guest_abi_from("auto"));
}

}  // namespace
}  // namespace nur
