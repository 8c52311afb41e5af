#include "compiler/wasm/rewrite.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/wasm/expect_refusal.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::ModuleBuilder;
using test::raw;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kEnd = raw({0x0b});

RewrittenModule rewritten(const std::string& bytes) {
  const Result<WasmModule> module = read_module(bytes);
  if (!module) {
    ADD_FAILURE() << module.error().message;
    return {};
  }
  Result<RewrittenModule> result = rewrite(*module);
  if (!result) {
    ADD_FAILURE() << result.error().message;
    return {};
  }
  return *std::move(result);
}

Error rewrite_refusal(const std::string& bytes) {
  const Result<WasmModule> module = read_module(bytes);
  if (!module) return module.error();
  const Result<RewrittenModule> result = rewrite(*module);
  if (!result) return result.error();
  ADD_FAILURE() << "the module was rewritten";
  return {ErrorKind::internal, ""};
}

TEST(Rewrite, NumbersImportsAndFunctionExports) {
  const RewrittenModule result = rewritten(test::rich_module());

  const WasmModule module = read_module(result.bytes).value();
  ASSERT_EQ(module.imports.size(), 1U);
  EXPECT_EQ(module.imports[0].module, "h");
  EXPECT_EQ(module.imports[0].name, "i0");
  EXPECT_EQ(to_string(module.type_of(0)), "(i32, i32) -> ()");
  ASSERT_EQ(module.exports.size(), 3U);
  EXPECT_EQ(module.exports[0].name, "e0");
  EXPECT_EQ(module.exports[0].index, 2U);
  EXPECT_EQ(module.exports[1].name, "e1");
  EXPECT_EQ(module.exports[1].index, 1U);
}

TEST(Rewrite, ExportsTheStartFunctionInsteadOfStartingIt) {
  const RewrittenModule result = rewritten(test::rich_module());
  const WasmModule module = read_module(result.bytes).value();

  EXPECT_EQ(module.start, std::nullopt);
  EXPECT_EQ(module.exports[2].name, "s");
  EXPECT_EQ(module.exports[2].index, 1U);
}

TEST(Rewrite, DropsCustomSections) {
  const RewrittenModule result = rewritten(test::rich_module());

  EXPECT_THAT(result.bytes, Not(HasSubstr("producers")));
  EXPECT_THAT(result.bytes, Not(HasSubstr("loops")));
}

TEST(Rewrite, KeepsCodeTablesGlobalsAndElementsAsTheyAre) {
  const std::string bytes = test::rich_module();
  const WasmModule before = read_module(bytes).value();
  const RewrittenModule result = rewritten(bytes);
  const WasmModule after = read_module(result.bytes).value();

  for (const SectionId id :
       {SectionId::type, SectionId::function, SectionId::table, SectionId::global,
        SectionId::element, SectionId::data_count, SectionId::code}) {
    const auto at = static_cast<std::size_t>(id);
    EXPECT_EQ(before.sections[at], after.sections[at]) << at;
  }
}

TEST(Rewrite, MovesActiveDataIntoTheImage) {
  const RewrittenModule result = rewritten(test::rich_module());

  ASSERT_EQ(result.image.size(), 1U);
  EXPECT_EQ(result.image[0].memory_offset, 0U);
  EXPECT_EQ(result.image[0].bytes.substr(100, 5), "hello");
  const WasmModule module = read_module(result.bytes).value();
  ASSERT_EQ(module.data_segments.size(), 2U);
  EXPECT_EQ(module.data_segments[0].mode, SegmentMode::active);
  EXPECT_EQ(module.data_segments[0].bytes, "");
  EXPECT_EQ(module.data_segments[0].offset->value->low, 0U);
  EXPECT_EQ(module.data_segments[1].mode, SegmentMode::passive);
  EXPECT_EQ(module.data_segments[1].bytes, "passive");
  EXPECT_THAT(result.bytes, Not(HasSubstr("hello")));
}

TEST(Rewrite, GivesTheModuleItsOwnMemoryWhenItImportsOne) {
  ModuleBuilder builder;
  builder.import("env", "memory", raw({2, 1, 18, 100})).data_at(65536, "x");
  const RewrittenModule result = rewritten(builder.bytes());

  const WasmModule module = read_module(result.bytes).value();

  EXPECT_THAT(module.imports, IsEmpty());
  ASSERT_EQ(module.memories.size(), 1U);
  EXPECT_FALSE(module.memories[0].imported);
  EXPECT_EQ(module.memories[0].pages.initial, 18U);
  EXPECT_EQ(module.memories[0].pages.max, 100U);
}

TEST(Rewrite, OfItsOwnOutputChangesNothing) {
  ModuleBuilder builder;
  builder.import("env", "memory", raw({2, 0, 1})).exported("memory", 2, 0);
  builder.function(builder.type("", ""), kEnd).exported("run", 0, 0).data_at(5, "data");
  const RewrittenModule once = rewritten(builder.bytes());

  const RewrittenModule twice = rewritten(once.bytes);

  EXPECT_EQ(twice.bytes, once.bytes);
  EXPECT_THAT(twice.image, IsEmpty());
}

TEST(Rewrite, OfAnEmptyModuleIsAnEmptyModule) {
  EXPECT_EQ(rewritten(test::preamble()).bytes, test::preamble());
}

TEST(Rewrite, RefusesImportedGlobalsAndTables) {
  const Error global =
      rewrite_refusal(ModuleBuilder().import("env", "x", raw({3, test::kI32, 0})).bytes());
  EXPECT_EQ(global.kind, ErrorKind::not_found);
  EXPECT_EQ(global.message, "imports global env.x; nur offers no importable globals");

  const Error table =
      rewrite_refusal(ModuleBuilder().import("env", "t", raw({1, 0x70, 0, 1})).bytes());
  EXPECT_EQ(table.kind, ErrorKind::not_found);
  EXPECT_EQ(table.message, "imports table env.t; nur offers no importable tables");
}

TEST(Rewrite, RefusesDataPastTheInitialMemory) {
  const auto with_data = [](std::uint32_t offset, const std::string& bytes) {
    return ModuleBuilder().memory(raw({0, 1})).data_at(0, "").data_at(offset, bytes).bytes();
  };
  EXPECT_EQ(rewrite_refusal(with_data(65535, "xy")).message,
            "data segment 1 reaches past the initial memory (offset 65535, size 2, memory 65536 "
            "bytes): the module would trap when instantiated");
  EXPECT_EQ(rewrite_refusal(with_data(65537, "")).message,
            "data segment 1 reaches past the initial memory (offset 65537, size 0, memory 65536 "
            "bytes): the module would trap when instantiated");
  EXPECT_EQ(rewritten(with_data(65535, "x")).image[0].memory_offset, 61440U);
  EXPECT_THAT(rewritten(with_data(65536, "")).image, IsEmpty());
}

TEST(Rewrite, TakesOffsetsForUnsigned) {
  // i32.const -1
  const std::string bytes =
      ModuleBuilder().memory(raw({0, 1})).data(raw({0, 0x41, 0x7f, 0x0b, 1, 'x'})).bytes();
  EXPECT_THAT(rewrite_refusal(bytes).message, HasSubstr("(offset 4294967295, size 1"));
}

TEST(Rewrite, RefusesElementsPastTheirTable) {
  ModuleBuilder builder;
  builder.function(builder.type("", ""), kEnd).table(raw({0x70, 0, 2}));
  builder.element(raw({0, 0x41, 1, 0x0b, 2, 0, 0}));
  EXPECT_EQ(rewrite_refusal(builder.bytes()).message,
            "element segment 0 reaches past table 0 (offset 1, size 2, table 2 entries): the "
            "module would trap when instantiated");
}

// Whatever stands in a name: none of it is left in what wasm2c reads.
TEST(Rewrite, LeavesNoByteOfHostileNames) {
  const std::string injection = "*/ int x(void){return 1;} /*";
  std::vector<std::string> names = {injection};
  std::mt19937 random(4711);
  const std::vector<std::string> pieces = {
      "*/",   "/*", "\n#include \"/etc/passwd\"\n", "\\\n",     "\"; system(\"id\"); \"",
      "?\?/", "\r", "__attribute__((constructor))", "\xc3\xa9", "\xf0\x9f\x90\x84",
      "w2c_", "$"};
  while (names.size() < 1'000) {
    std::string hostile = fmt::format("hostile{}", names.size());
    for (int piece = 0; piece < 4; ++piece) hostile += pieces[random() % pieces.size()];
    names.push_back(hostile);
  }
  ModuleBuilder builder;
  const int type = builder.type("", "");
  for (std::size_t index = 0; index < 500; ++index) {
    builder.import_function(names[index], names[999 - index], type);
  }
  builder.function(type, kEnd);
  for (const std::string& hostile : names) builder.exported(hostile, 0, 500);
  builder.custom(injection, injection);
  builder.custom("name", raw({0}) + test::name(test::name(injection)));

  const RewrittenModule result = rewritten(builder.bytes());

  EXPECT_THAT(result.bytes, Not(HasSubstr("hostile")));
  for (const std::string& hostile : names) EXPECT_THAT(result.bytes, Not(HasSubstr(hostile)));
  const WasmModule module = read_module(result.bytes).value();
  ASSERT_EQ(module.exports.size(), 1'000U);
  ASSERT_EQ(module.imports.size(), 500U);
  for (std::size_t index = 0; index < 1'000; ++index) {
    EXPECT_EQ(module.exports[index].name, fmt::format("e{}", index));
  }
  for (std::size_t index = 0; index < 500; ++index) {
    EXPECT_EQ(module.imports[index].module, "h");
    EXPECT_EQ(module.imports[index].name, fmt::format("i{}", index));
  }
}

}  // namespace
}  // namespace nur
