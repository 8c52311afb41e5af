// Every limit accepts its value and refuses one more, and the error names both.
#include "compiler/wasm/limits.h"

#include <string>

#include <gtest/gtest.h>

#include "compiler/wasm/rewrite.h"
#include "tests/compiler/wasm/expect_refusal.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::expect_accepted;
using test::ModuleBuilder;
using test::raw;
using test::refusal_of;
using test::vec;

const std::string kEnd = raw({0x0b});

template <class T>
void expect_limit(const std::string& bytes, T ModuleLimits::*limit, T needed,
                  const std::string& message) {
  ModuleLimits limits;
  limits.*limit = needed;
  const Result<WasmModule> accepted = read_module(bytes, limits);
  EXPECT_TRUE(accepted) << accepted.error().message;

  limits.*limit = needed - 1;
  const Error error = refusal_of(bytes, limits);
  EXPECT_EQ(error.kind, ErrorKind::limit_exceeded);
  EXPECT_EQ(error.message, message);
}

TEST(Limits, OfModuleBytes) {
  expect_limit(test::preamble(), &ModuleLimits::module_bytes, std::size_t{8},
               "module: 8 bytes, the limit is 7");
}

TEST(Limits, OfTypes) {
  ModuleBuilder builder;
  for (int index = 0; index < 3; ++index) builder.type("", "");
  expect_limit(builder.bytes(), &ModuleLimits::types, 3U, "type section: 3 types, the limit is 2");
}

TEST(Limits, OfFunctionsImportedOnesIncluded) {
  ModuleBuilder builder;
  const int type = builder.type("", "");
  builder.import_function("m", "f", type).function(type, kEnd).function(type, kEnd);
  expect_limit(builder.bytes(), &ModuleLimits::functions, 3U,
               "function section: 3 functions, the limit is 2");
}

TEST(Limits, OfFunctionBodyBytes) {
  ModuleBuilder builder;
  builder.function(builder.type("", ""), raw({1, 1, 1}) + kEnd);
  expect_limit(builder.bytes(), &ModuleLimits::function_body_bytes, 5U,
               "function 0: 5 bytes of code, the limit is 4");
}

TEST(Limits, OfNesting) {
  const std::string body = raw({0x02, 0x40, 0x03, 0x40, 0x0b, 0x0b, 0x0b});
  expect_limit(test::module_with_body(body), &ModuleLimits::nesting, 2U,
               "code section: function 0: 2 nested blocks, the limit is 1");
}

TEST(Limits, OfBranchTableTargets) {
  const std::string body = raw({0x00, 0x0e, 3, 0, 0, 0, 0, 0x0b});
  expect_limit(test::module_with_body(body), &ModuleLimits::branch_table_targets, 3U,
               "code section: function 0: 3 targets of br_table at offset 0x23, the limit is 2");
}

TEST(Limits, OfLocalsParametersIncluded) {
  ModuleBuilder builder;
  builder.function(builder.type({test::kI32}, ""), kEnd, raw({2, 2, test::kI32, 3, test::kF64}));
  expect_limit(builder.bytes(), &ModuleLimits::locals, 6U,
               "code section: function 0: 6 parameters and locals, the limit is 5");
}

TEST(Limits, OfGlobals) {
  ModuleBuilder builder;
  for (int index = 0; index < 3; ++index) builder.global(raw({test::kI32, 0, 0x41, 0, 0x0b}));
  expect_limit(builder.bytes(), &ModuleLimits::globals, 3U,
               "global section: 3 globals, the limit is 2");
}

TEST(Limits, OfTables) {
  ModuleBuilder builder;
  for (int index = 0; index < 3; ++index) builder.table(raw({0x70, 0, 1}));
  expect_limit(builder.bytes(), &ModuleLimits::tables, 3U,
               "table section: 3 tables, the limit is 2");
}

TEST(Limits, OfTableEntries) {
  expect_limit(ModuleBuilder().table(raw({0x70, 0, 9})).bytes(), &ModuleLimits::table_entries, 9U,
               "table section: 9 initial entries of a table, the limit is 8");
  // A table that only may grow further is let in; its capacity is cut (describe.h).
  expect_accepted(ModuleBuilder().table(raw({0x70, 1, 9}) + test::leb(0xffffffff)).bytes());
}

TEST(Limits, OfDataSegments) {
  ModuleBuilder builder;
  builder.memory(raw({0, 1}));
  for (int index = 0; index < 3; ++index) builder.data_at(0, "x");
  expect_limit(builder.bytes(), &ModuleLimits::data_segments, 3U,
               "data section: 3 data segments, the limit is 2");
  builder.data_count(3);
  expect_limit(builder.bytes(), &ModuleLimits::data_segments, 3U,
               "data count section: 3 data segments, the limit is 2");
}

TEST(Limits, OfElementSegments) {
  ModuleBuilder builder;
  for (int index = 0; index < 3; ++index) builder.element(raw({1, 0, 0}));
  expect_limit(builder.bytes(), &ModuleLimits::element_segments, 3U,
               "element section: 3 element segments, the limit is 2");
}

TEST(Limits, OfElementEntries) {
  ModuleBuilder builder;
  builder.function(builder.type("", ""), kEnd).element(raw({1, 0, 3, 0, 0, 0}));
  expect_limit(builder.bytes(), &ModuleLimits::element_entries, 3U,
               "element section: 3 entries of an element segment, the limit is 2");
}

TEST(Limits, OfImports) {
  ModuleBuilder builder;
  const int type = builder.type("", "");
  for (int index = 0; index < 3; ++index) builder.import_function("m", "f", type);
  expect_limit(builder.bytes(), &ModuleLimits::imports, 3U,
               "import section: 3 imports, the limit is 2");
}

TEST(Limits, OfExports) {
  ModuleBuilder builder;
  builder.memory(raw({0, 1}));
  for (const char* name : {"a", "b", "c"}) builder.exported(name, 2, 0);
  expect_limit(builder.bytes(), &ModuleLimits::exports, 3U,
               "export section: 3 exports, the limit is 2");
}

TEST(Limits, OfParametersAndResults) {
  ModuleBuilder builder;
  builder.type(std::string(3, test::kI32), std::string(4, test::kI64));
  expect_limit(builder.bytes(), &ModuleLimits::parameters, 3U,
               "type section: 3 parameters of a function type, the limit is 2");
  expect_limit(builder.bytes(), &ModuleLimits::results, 4U,
               "type section: 4 results of a function type, the limit is 3");
}

TEST(Limits, OfMemoryPages) {
  expect_limit(ModuleBuilder().memory(raw({0, 9})).bytes(), &ModuleLimits::memory_pages, 9U,
               "memory section: 9 initial pages of memory, the limit is 8");
}

TEST(Limits, OfConstantOperands) {
  const std::string expression = raw({0x41, 1, 0x41, 1, 0x41, 1, 0x6a, 0x6a, 0x0b});
  expect_limit(ModuleBuilder().global(raw({test::kI32, 0}) + expression).bytes(),
               &ModuleLimits::constant_operands, 3U,
               "global section: 3 values on the stack of a constant expression, the limit is 2");
}

TEST(Limits, OfConstantInstructions) {
  const std::string expression = raw({0x41, 1, 0x41, 1, 0x6a, 0x0b});
  expect_limit(ModuleBuilder().global(raw({test::kI32, 0}) + expression).bytes(),
               &ModuleLimits::constant_instructions, 3U,
               "global section: 3 instructions of a constant expression, the limit is 2");
}

TEST(Limits, OfTheInitialMemoryImage) {
  const std::string bytes =
      ModuleBuilder().memory(raw({0, 1})).data_at(0, "x").data_at(5000, "y").bytes();
  const WasmModule module = read_module(bytes).value();
  ModuleLimits limits;
  limits.image_bytes = 8192;
  EXPECT_TRUE(rewrite(module, limits));

  limits.image_bytes = 8191;
  const Result<RewrittenModule> refused = rewrite(module, limits);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::limit_exceeded);
  EXPECT_EQ(refused.error().message,
            "data segments fill more than 8191 bytes of 4 KiB pages of initial memory, which is "
            "the limit");
}

TEST(Bombs, OfNestingAreRefusedByDefault) {
  std::string body;
  for (int depth = 0; depth < 16'000; ++depth) body += raw({0x02, 0x40});
  body += std::string(16'001, '\x0b');

  EXPECT_EQ(refusal_of(test::module_with_body(body)).message,
            "code section: function 0: 1001 nested blocks, the limit is 1000");
}

TEST(Bombs, OfLocalsAreRefusedWhenTheirNumberOverflows) {
  ModuleBuilder builder;
  const std::string group = test::leb(0xffffffff) + std::string(1, test::kI32);
  builder.function(builder.type("", ""), kEnd, vec({group, group}));
  EXPECT_EQ(refusal_of(builder.bytes()).message,
            "at offset 0x1d: code section: function 0: 2^32 or more locals");

  ModuleBuilder one_group;
  one_group.function(one_group.type("", ""), kEnd, vec({group}));
  EXPECT_EQ(refusal_of(one_group.bytes()).kind, ErrorKind::limit_exceeded);
}

TEST(Bombs, OfBranchTargetsAreRefusedByDefault) {
  const std::string body = raw({0x00, 0x0e}) + test::leb(20'001) + std::string(20'002, '\0') + kEnd;
  EXPECT_EQ(refusal_of(test::module_with_body(body)).kind, ErrorKind::limit_exceeded);

  const std::string lie = raw({0x00, 0x0e}) + test::leb(0xffffffff) + raw({0, 0x0b});
  EXPECT_EQ(refusal_of(test::module_with_body(lie)).message,
            "at offset 0x24: code section: function 0: number of br_table targets is 4294967295, "
            "but only 2 bytes are left");
}

}  // namespace
}  // namespace nur
