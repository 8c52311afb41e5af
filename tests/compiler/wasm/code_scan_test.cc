#include "compiler/wasm/code_scan.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/compiler/wasm/expect_refusal.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::expect_accepted;
using test::expect_malformed;
using test::module_with_body;
using test::ModuleBuilder;
using test::raw;

// The body's first instruction is at 0x22; it has one function, type and memory, a table of ten.
void expect_body_refused(const std::string& body, const std::string& message) {
  expect_malformed(module_with_body(body), "at offset " + message);
}

std::string at(const std::string& offset, const std::string& reason) {
  return offset + ": code section: function 0: " + reason;
}

TEST(CodeScan, AcceptsEveryKindOfImmediate) { expect_accepted(test::rich_module()); }

TEST(CodeScan, RefusesUnknownOpcodes) {
  expect_body_refused(raw({0xff, 0x0b}), at("0x22", "unknown opcode 0xff"));
  expect_body_refused(raw({0x27, 0x0b}), at("0x22", "unknown opcode 0x27"));
  expect_body_refused(raw({0xfc, 18, 0x0b}), at("0x22", "unknown opcode 0xfc 0x12"));
  expect_body_refused(raw({0xfc, 23, 0x0b}), at("0x22", "unknown opcode 0xfc 0x17"));
  expect_body_refused(raw({0xfd, 0x9a, 0x01, 0x0b}), at("0x22", "unknown opcode 0xfd 0x9a"));
}

TEST(CodeScan, RefusesBodiesThatDoNotEndWhereTheyShould) {
  expect_body_refused(raw({0x01}),
                      at("0x23", "ends where an instruction (a block is not closed) is expected"));
  expect_body_refused(raw({0x02, 0x40, 0x0b}),
                      at("0x25", "ends where an instruction (a block is not closed) is expected"));
  expect_body_refused(raw({0x0b, 0x01}), at("0x23", "1 bytes are left over"));
}

TEST(CodeScan, RefusesElseWithoutIf) {
  expect_body_refused(raw({0x05, 0x0b}), at("0x22", "else without if"));
  expect_body_refused(raw({0x02, 0x40, 0x05, 0x0b, 0x0b}), at("0x24", "else without if"));
  expect_body_refused(raw({0x41, 0, 0x04, 0x40, 0x05, 0x05, 0x0b, 0x0b}),
                      at("0x27", "else without if"));
}

TEST(CodeScan, RefusesBlockTypes) {
  expect_body_refused(raw({0x02, 0x01, 0x0b, 0x0b}),
                      at("0x23", "block type index 1 is out of range, there are 1"));
  expect_body_refused(raw({0x02, 0x41, 0x0b, 0x0b}), at("0x23", "0x41 is no value type"));
  expect_body_refused(raw({0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b, 0x0b}),
                      at("0x23", "block type is no type index of 33 bits"));
  expect_body_refused(raw({0x02, 0x80, 0x80, 0x80, 0x80, 0x70, 0x0b, 0x0b}),
                      at("0x23", "block type is no type index of 33 bits"));
  // 0 in as many bytes as 33 bits may take.
  expect_accepted(module_with_body(raw({0x02, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b, 0x0b})));
}

TEST(CodeScan, RefusesIndicesOutOfRange) {
  expect_body_refused(raw({0x0c, 1, 0x0b}), at("0x23",
                                               "label index 1 is out of range, there are "
                                               "1"));
  expect_body_refused(raw({0x00, 0x0e, 1, 0, 1, 0x0b}),
                      at("0x26", "label index 1 is out of range, there are 1"));
  expect_body_refused(raw({0x10, 1, 0x0b}),
                      at("0x23", "function index 1 is out of range, there are 1"));
  expect_body_refused(raw({0x00, 0x11, 1, 0, 0x0b}),
                      at("0x24", "type index 1 is out of range, there are 1"));
  expect_body_refused(raw({0x00, 0x11, 0, 1, 0x0b}),
                      at("0x25", "table index 1 is out of range, there are 1"));
  expect_body_refused(raw({0x20, 0, 0x0b}),
                      at("0x23", "local index 0 is out of range, there are 0"));
  expect_body_refused(raw({0x23, 0, 0x0b}),
                      at("0x23", "global index 0 is out of range, there are 0"));
  expect_body_refused(raw({0x25, 1, 0x0b}),
                      at("0x23", "table index 1 is out of range, there are 1"));
  expect_body_refused(raw({0xfc, 13, 0, 0x0b}),
                      at("0x24", "element segment index 0 is out of range, there are 0"));
  expect_body_refused(raw({0xfc, 14, 0, 1, 0x0b}),
                      at("0x25", "table index 1 is out of range, there are 1"));
}

TEST(CodeScan, RefusesReferencesToUndeclaredFunctions) {
  expect_body_refused(raw({0xd2, 0, 0x1a, 0x0b}),
                      at("0x22", "ref.func 0, which occurs nowhere outside function bodies"));
  // Being the start function declares nothing, being exported does.
  ModuleBuilder builder;
  builder.function(builder.type("", ""), raw({0xd2, 0, 0x1a, 0x0b})).start(0);
  EXPECT_FALSE(read_module(builder.bytes()));
  builder.exported("f", 0, 0);
  expect_accepted(builder.bytes());
}

TEST(CodeScan, RefusesMemoryInstructionsWithoutAMemory) {
  for (const std::string& instruction :
       {raw({0x28, 0, 0}), raw({0x3f, 0}), raw({0x40, 0}), raw({0xfc, 10, 0, 0}),
        raw({0xfc, 11, 0}), raw({0xfd, 0, 0, 0}), raw({0xfd, 0x54, 0, 0, 0})}) {
    ModuleBuilder builder;
    builder.function(builder.type("", ""), raw({0x00}) + instruction + raw({0x0b}));
    expect_malformed(builder.bytes(),
                     "at offset 0x18: code section: function 0: an instruction accesses memory, "
                     "and the module has none");
  }
}

TEST(CodeScan, RefusesDataInstructionsWithoutADataCount) {
  expect_body_refused(raw({0xfc, 9, 0, 0x0b}),
                      at("0x22", "memory.init and data.drop need a data count section"));
  expect_body_refused(raw({0xfc, 8, 0, 0, 0x0b}),
                      at("0x22", "memory.init and data.drop need a data count section"));
}

TEST(CodeScan, RefusesAlignmentsNoMemoryHas) {
  expect_body_refused(raw({0x00, 0x28, 0x80, 0x01, 0, 0x0b}), at("0x23",
                                                                 "alignment of 2^128 "
                                                                 "bytes"));
}

TEST(CodeScan, RefusesLanesOutOfRange) {
  expect_body_refused(raw({0x00, 0xfd, 0x15, 16, 0x0b}), at("0x25", "lane 16 of 16"));
  expect_body_refused(raw({0x00, 0xfd, 0x21, 2, 0x0b}), at("0x25", "lane 2 of 2"));
  expect_body_refused(raw({0x00, 0xfd, 0x57, 0, 0, 2, 0x0b}), at("0x27", "lane 2 of 2"));
  expect_body_refused(
      raw({0x00, 0xfd, 0x0d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0x0b}),
      at("0x34", "lane 32 of 32"));
}

TEST(CodeScan, RefusesSelectUnlessItHasOneType) {
  expect_body_refused(raw({0x00, 0x1c, 0, 0x0b}), at("0x23", "select with 0 types, expected one"));
  expect_body_refused(raw({0x00, 0x1c, 2, 0x7f, 0x7f, 0x0b}),
                      at("0x23", "select with 2 types, expected one"));
}

TEST(CodeScan, RefusesConstantsThatAreCut) {
  expect_body_refused(raw({0x41, 0x80}), at("0x23", "ends inside i32.const"));
  expect_body_refused(raw({0x43, 0, 0}), at("0x23", "f32.const has 4 bytes, only 2 are left"));
  expect_body_refused(raw({0xfd, 0x0c, 0}), at("0x24",
                                               "v128.const has 16 bytes, only 1 are "
                                               "left"));
}

}  // namespace
}  // namespace nur
