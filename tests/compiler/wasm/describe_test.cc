#include "compiler/wasm/describe.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::ModuleBuilder;
using test::raw;

Manifest described(const std::string& bytes, GuestAbi abi = GuestAbi::typed) {
  return describe(read_module(bytes).value(), abi);
}

TEST(Describe, NumbersImportsAndEntriesAsTheRewrittenModuleDoes) {
  const Manifest manifest = described(test::rich_module(), GuestAbi::nur);

  EXPECT_EQ(manifest.guest_abi, GuestAbi::nur);
  ASSERT_EQ(manifest.imports.size(), 1U);
  EXPECT_EQ(manifest.imports[0].module, "nur");
  EXPECT_EQ(manifest.imports[0].name, "nur_send");
  EXPECT_EQ(to_string(manifest.imports[0].type), "(i32, i32) -> ()");
  ASSERT_EQ(manifest.exports.size(), 4U);
  EXPECT_EQ(manifest.exports[0].name, "memory");
  EXPECT_EQ(manifest.exports[0].kind, ExternalKind::memory);
  EXPECT_EQ(manifest.exports[1].name, "add");
  EXPECT_EQ(manifest.exports[1].entry, 0U);
  EXPECT_EQ(to_string(manifest.exports[1].type), "(i32, i32) -> i32");
  EXPECT_EQ(manifest.exports[2].kind, ExternalKind::global);
  EXPECT_EQ(manifest.exports[3].name, "run");
  EXPECT_EQ(manifest.exports[3].entry, 1U);
  EXPECT_TRUE(manifest.has_start);
}

TEST(Describe, GivesTheLimitsOfMemory) {
  EXPECT_EQ(described(test::rich_module()).memory, (MemoryLimits{1, 2, false}));
  EXPECT_EQ(described(ModuleBuilder().import("env", "memory", raw({2, 0, 18})).bytes()).memory,
            (MemoryLimits{18, 65536, true}));
  EXPECT_EQ(described(test::preamble()).memory, std::nullopt);
  EXPECT_FALSE(described(test::preamble()).has_start);
}

TEST(Describe, GivesTablesACapacityWithinBounds) {
  ModuleBuilder builder;
  builder.table(raw({0x70, 1, 10, 20})).table(raw({0x6f, 0, 3}));
  builder.table(raw({0x70, 1, 0}) + test::leb(4'000'000'000));
  const Manifest manifest = described(builder.bytes());

  ASSERT_EQ(manifest.tables.size(), 3U);
  EXPECT_EQ(manifest.tables[0], (TableLimits{ValueType::funcref, 10, 20}));
  EXPECT_EQ(manifest.tables[1], (TableLimits{ValueType::externref, 3, 65536}));
  EXPECT_EQ(manifest.tables[2], (TableLimits{ValueType::funcref, 0, 65536}));
}

}  // namespace
}  // namespace nur
