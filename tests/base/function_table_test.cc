#include "base/function_table.h"

#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/craft_artefact.h"

namespace nur {
namespace {

constexpr std::uint64_t kEnough = 1000;

FrameRule above_stack_pointer(std::int32_t offset) {
  FrameRule rule;
  rule.cfa = FrameRule::Cfa::register_offset;
  rule.cfa_offset = offset;
  return rule;
}

FrameRule above_frame_pointer() {
  FrameRule rule;
  rule.cfa = FrameRule::Cfa::memory;
  rule.base = kDwarfRbp;
  rule.frame_pointer = FrameRule::FramePointer::at_cfa;
  rule.cfa_offset = -8;
  rule.frame_pointer_offset = -100000;
  return rule;
}

const std::vector<NativeFunction>& some_functions() {
  static const std::vector<NativeFunction> functions{
      {.address = 0x1000,
       .bytes = 16,
       .wasm_index = 4,
       .name = "main",
       .rows = {{0, above_stack_pointer(8)}, {5, above_stack_pointer(4096)}}},
      {.address = 0x1010,
       .bytes = 700,
       .wasm_index = 2,
       .is_entry = true,
       .name = "a\nb",
       .rows = {{0, above_stack_pointer(8)}, {1, above_frame_pointer()}, {600, FrameRule{}}}},
      {.address = 0x2000, .bytes = 16, .wasm_index = 4, .name = "main", .rows = {}},
      {.address = 0x2010, .bytes = 16, .name = "", .rows = {}}};
  return functions;
}

std::string some_section() { return encode_function_table(some_functions()); }

FunctionTable some_table() {
  static const std::string section = some_section();
  return *FunctionTable::read(section);
}

std::optional<FrameRule> rule_at(const FunctionTable& table, std::uint64_t address) {
  std::uint64_t rows_left = kEnough;
  const auto entry = table.find(address);
  return entry ? table.rule_at(*entry, address, rows_left) : std::nullopt;
}

TEST(FunctionTable, FindsTheFunctionOfAnAddress) {
  const FunctionTable table = some_table();

  EXPECT_FALSE(table.find(0));
  EXPECT_FALSE(table.find(0xfff));
  EXPECT_EQ(table.find(0x1000)->name, "main");
  EXPECT_EQ(table.find(0x100f)->wasm_index, 4U);
  EXPECT_EQ(table.find(0x1010)->name, "a\nb");
  EXPECT_TRUE(table.find(0x1010)->is_entry);
  EXPECT_EQ(table.find(0x1010 + 699)->wasm_index, 2U);
  EXPECT_FALSE(table.find(0x1010 + 700)) << "between two functions";
  EXPECT_EQ(table.find(0x2000)->name, "main");
  EXPECT_EQ(table.find(0x2010)->wasm_index, NativeFunction::kNone);
  EXPECT_FALSE(table.find(0x2020));
  EXPECT_FALSE(table.find(std::numeric_limits<std::uint64_t>::max()));
}

TEST(FunctionTable, FindsTheRuleOfAnAddress) {
  const FunctionTable table = some_table();

  EXPECT_EQ(rule_at(table, 0x1000), above_stack_pointer(8));
  EXPECT_EQ(rule_at(table, 0x1004), above_stack_pointer(8));
  EXPECT_EQ(rule_at(table, 0x1005), above_stack_pointer(4096));
  EXPECT_EQ(rule_at(table, 0x100f), above_stack_pointer(4096));
  EXPECT_EQ(rule_at(table, 0x1010), above_stack_pointer(8));
  EXPECT_EQ(rule_at(table, 0x1011), above_frame_pointer());
  EXPECT_EQ(rule_at(table, 0x1010 + 600), FrameRule{});
  EXPECT_FALSE(rule_at(table, 0x2000)) << "no rows";
}

TEST(FunctionTable, LooksAtNoMoreRowsThanItMay) {
  const FunctionTable table = some_table();
  const auto entry = *table.find(0x1010);
  std::uint64_t rows_left = 3;
  EXPECT_TRUE(table.rule_at(entry, 0x1010 + 600, rows_left));
  EXPECT_EQ(rows_left, 0U);
  EXPECT_FALSE(table.rule_at(entry, 0x1010 + 600, rows_left));
}

TEST(FunctionTable, CountsWasmFunctions) { EXPECT_EQ(some_table().wasm_functions(), 2U); }

TEST(FunctionTable, PutsFunctionsInOrder) {
  std::vector<NativeFunction> shuffled = some_functions();
  std::swap(shuffled[0], shuffled[3]);
  EXPECT_EQ(encode_function_table(shuffled), some_section());
}

TEST(FunctionTable, CutsLongNames) {
  const std::string section = encode_function_table(
      {{.address = 0, .bytes = 1, .wasm_index = 0, .name = std::string(100000, 'x'), .rows = {}}});
  EXPECT_EQ(FunctionTable::read(section)->find(0)->name, std::string(kFunctionNameBytesMax, 'x'));
}

TEST(FunctionTable, MayBeEmpty) {
  const std::string section = encode_function_table({});
  const auto table = FunctionTable::read(section);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_FALSE(table->find(0));
  EXPECT_FALSE(FunctionTable().find(0));
}

TEST(FunctionTable, RefusesASectionCutAnywhereOrTooLong) {
  const std::string section = some_section();
  for (std::size_t bytes = 0; bytes < section.size(); ++bytes) {
    EXPECT_FALSE(FunctionTable::read(std::string_view(section).substr(0, bytes))) << bytes;
  }
  EXPECT_FALSE(FunctionTable::read(section + "x"));
}

// Offsets in the section: magic 0, version 4, functions 8, rules 12, bytes of names 16, of rows 20.
TEST(FunctionTable, RefusesEveryFieldOfTheHeaderThatDoesNotFit) {
  const auto with = [](std::size_t offset, std::uint32_t value) {
    std::string section = some_section();
    std::memcpy(section.data() + offset, &value, sizeof value);
    const auto table = FunctionTable::read(section);
    return table ? std::string() : table.error().message;
  };
  EXPECT_NE(with(0, 0).find("wrong magic"), std::string::npos);
  EXPECT_NE(with(4, 1).find("version"), std::string::npos);
  for (const std::size_t offset : {8U, 12U, 16U, 20U}) {
    EXPECT_NE(with(offset, 0xffffffff).find("length"), std::string::npos) << offset;
    EXPECT_NE(with(offset, 0).find("length"), std::string::npos) << offset;
  }
}

// Entries of 24 bytes from 24 on: address 0, bytes 4, index 8, name at 12, its bytes 16, rows
// at 20.
TEST(FunctionTable, TakesFieldsThatLeadOutsideForAbsent) {
  const auto with = [](std::size_t offset, std::uint32_t value) {
    std::string section = some_section();
    std::memcpy(section.data() + 24 + offset, &value, sizeof value);
    return section;
  };
  const std::string far_name = with(12, 0xffffffff);
  EXPECT_EQ(FunctionTable::read(far_name)->find(0x1000)->name, "");
  const std::string long_name = with(16, 0xffff);
  EXPECT_EQ(FunctionTable::read(long_name)->find(0x1000)->name, "");
  const std::string far_rows = with(20, 0xffffffff);
  EXPECT_FALSE(rule_at(*FunctionTable::read(far_rows), 0x1000));
}

TEST(FunctionTable, IsReadOutOfAnArtefact) {
  test::ArtefactRecipe recipe;
  recipe.functions = some_functions();
  const std::string elf = test::craft_elf(recipe);
  const auto table = FunctionTable::read(find_section(elf, kFunctionsSection));
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->size(), 4U);
}

}  // namespace
}  // namespace nur
