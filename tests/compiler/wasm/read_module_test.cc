// Preamble, order and contents of sections: what is accepted, and the message of each refusal.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/wasm/wasm_module.h"
#include "tests/compiler/wasm/expect_refusal.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::expect_accepted;
using test::expect_malformed;
using test::module_of;
using test::ModuleBuilder;
using test::name;
using test::preamble;
using test::raw;
using test::refusal_of;
using test::section;
using test::vec;

const std::string kNothingType = raw({0x60, 0, 0});
const std::string kEnd = raw({0x0b});

TEST(ReadModule, AcceptsAModuleWithoutSections) { expect_accepted(preamble()); }

TEST(ReadModule, KeepsWhatTheSectionsSay) {
  const std::string bytes = test::rich_module();

  const Result<WasmModule> read = read_module(bytes);

  ASSERT_TRUE(read) << read.error().message;
  const WasmModule& module = *read;
  ASSERT_EQ(module.imports.size(), 1U);
  EXPECT_EQ(module.imports[0].module, "nur");
  EXPECT_EQ(module.imports[0].name, "nur_send");
  EXPECT_EQ(module.imported_functions, 1U);
  EXPECT_EQ(module.functions.size(), 6U);
  EXPECT_EQ(to_string(module.type_of(2)), "(i32, i32) -> i32");
  ASSERT_EQ(module.bodies.size(), 5U);
  EXPECT_EQ(module.bodies[1].locals, 3U);
  EXPECT_EQ(bytes.substr(module.bodies[1].offset, module.bodies[1].bytes.size()),
            module.bodies[1].bytes);
  ASSERT_EQ(module.tables.size(), 2U);
  EXPECT_EQ(module.tables[0].entries.initial, 10U);
  EXPECT_EQ(module.tables[0].entries.max, 20U);
  EXPECT_EQ(module.tables[1].element, ValueType::externref);
  EXPECT_EQ(module.tables[1].entries.max, std::nullopt);
  ASSERT_EQ(module.memories.size(), 1U);
  EXPECT_EQ(module.memories[0].pages.initial, 1U);
  EXPECT_EQ(module.memories[0].pages.max, 2U);
  ASSERT_EQ(module.globals.size(), 2U);
  EXPECT_TRUE(module.globals[0].is_mutable);
  EXPECT_EQ(module.globals[0].initializer->value->low, 7U);
  EXPECT_EQ(module.globals[1].initializer->value->low, 3U);
  ASSERT_EQ(module.exports.size(), 4U);
  EXPECT_EQ(module.find_export("stack")->kind, ExternalKind::global);
  EXPECT_EQ(module.find_export("nowhere"), nullptr);
  EXPECT_EQ(module.start, 1U);
  ASSERT_EQ(module.element_segments.size(), 2U);
  EXPECT_EQ(module.element_segments[0].offset->value->low, 1U);
  EXPECT_EQ(module.element_segments[0].count, 2U);
  EXPECT_EQ(module.element_segments[1].mode, SegmentMode::passive);
  ASSERT_EQ(module.data_segments.size(), 2U);
  EXPECT_EQ(module.data_segments[0].offset->value->low, 100U);
  EXPECT_EQ(module.data_segments[0].bytes, "hello");
  EXPECT_EQ(module.data_segments[1].mode, SegmentMode::passive);
  EXPECT_EQ(module.data_segments[1].bytes, "passive");
}

TEST(ReadModule, NamesTheFeaturesInUse) {
  const std::string bytes = test::rich_module();
  const WasmModule module = read_module(bytes).value();

  for (const Feature used : {Feature::simd, Feature::bulk_memory, Feature::reference_types,
                             Feature::extended_const, Feature::mutable_globals}) {
    EXPECT_TRUE(module.features.has(used)) << to_string(used);
  }
  EXPECT_FALSE(module.features.has(Feature::multi_value));
  EXPECT_FALSE(module.features.has(Feature::sign_extension));
  EXPECT_EQ(read_module(preamble())->features, FeatureSet{});
}

TEST(Preamble, RefusesBytesThatAreNoModule) {
  expect_malformed("", "at offset 0x0: module: not a WebAssembly module, which starts with \\0asm");
  expect_malformed(
      "\x7f"
      "ELF....",
      "at offset 0x0: module: not a WebAssembly module, which starts with \\0asm");
  expect_malformed(raw({0, 'a', 's', 'm', 1, 0}),
                   "at offset 0x4: module: version has 4 bytes, only 2 are left");
}

TEST(Preamble, RefusesOtherVersions) {
  expect_malformed(raw({0, 'a', 's', 'm', 2, 0, 0, 0}),
                   "at offset 0x4: module: version 0x02 0x00 0x00 0x00, expected 1");
}

TEST(Preamble, SaysWhatToDoWithComponents) {
  const Error error = refusal_of(raw({0, 'a', 's', 'm', 0x0d, 0, 1, 0}));

  EXPECT_EQ(error.kind, ErrorKind::invalid_input);
  EXPECT_THAT(error.message, testing::HasSubstr("is a component, not a core module"));
  EXPECT_THAT(error.message, testing::HasSubstr("wasm32-wasip1"));
}

TEST(Sections, AreRefusedWhenUnknown) {
  expect_malformed(module_of({section(14, "")}), "at offset 0x8: module: unknown section 14");
}

TEST(Sections, AreRefusedWhenTheyReachPastTheModule) {
  expect_malformed(preamble() + raw({1, 9, 0}),
                   "at offset 0xa: module: type section has 9 bytes, only 1 are left");
}

TEST(Sections, AreRefusedWhenOutOfOrder) {
  expect_malformed(module_of({section(5, vec({raw({0, 1})})), section(1, vec({kNothingType}))}),
                   "at offset 0xd: type section: is out of order");
  // Data count stands before code, whatever its number.
  expect_malformed(module_of({section(11, vec({})), section(12, raw({0}))}),
                   "at offset 0xb: data count section: is out of order");
}

TEST(Sections, AreRefusedWhenThereTwice) {
  expect_malformed(module_of({section(1, vec({})), section(1, vec({}))}),
                   "at offset 0xb: type section: is there twice");
}

TEST(Sections, AreRefusedWhenBytesAreLeftOver) {
  expect_malformed(module_of({section(1, vec({kNothingType}) + "xyz")}),
                   "at offset 0xe: type section: 3 bytes are left over");
}

TEST(Sections, AreRefusedWhenACountIsMoreThanTheBytesLeft) {
  expect_malformed(
      module_of({section(1, test::leb(0xffffffff) + kNothingType)}),
      "at offset 0xa: type section: number of types is 4294967295, but only 3 bytes are left");
}

TEST(CustomSections, AreRefusedWhenTheirNameIsNotUtf8) {
  expect_malformed(module_of({section(0, name("\xff"))}),
                   "at offset 0xb: custom section: name of a custom section is not UTF-8");
}

TEST(Numbers, AreRefusedWhenOverlongTooLargeOrCut) {
  expect_malformed(module_of({section(1, raw({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}))}),
                   "at offset 0xa: type section: number of types is encoded in more than 5 bytes");
  expect_malformed(module_of({section(1, raw({0x80, 0x80, 0x80, 0x80, 0x10}))}),
                   "at offset 0xa: type section: number of types does not fit in 32 bits");
  expect_malformed(module_of({section(1, raw({0x80, 0x80}))}),
                   "at offset 0xa: type section: ends inside number of types");
}

TEST(Types, AreRefusedWhenTheirFormIsUnknown) {
  expect_malformed(module_of({section(1, vec({raw({0x61, 0, 0})}))}),
                   "at offset 0xb: type section: 0x61 is no function type");
  expect_malformed(module_of({section(1, vec({raw({0x60, 1, 0x02, 0})}))}),
                   "at offset 0xd: type section: 0x02 is no value type");
}

TEST(Imports, AreRefusedWhenMalformed) {
  const auto with_import = [](const std::string& import) {
    return module_of({section(1, vec({kNothingType})), section(2, vec({import}))});
  };
  expect_malformed(with_import(name("m") + name("f") + raw({9, 0})),
                   "at offset 0x15: import section: unknown kind 0x09 of import or export");
  expect_malformed(with_import(name("\xc0\x80") + name("f") + raw({0, 0})),
                   "at offset 0x12: import section: module name of an import is not UTF-8");
  expect_malformed(with_import(name("m") + name("\xed\xa0\x80") + raw({0, 0})),
                   "at offset 0x14: import section: name of an import is not UTF-8");
  expect_malformed(with_import(name("m") + name("f") + raw({0, 1})),
                   "at offset 0x16: import section: type index 1 is out of range, there are 1");
  expect_malformed(with_import(name("m") + name("f") + raw({3, test::kI32, 2})),
                   "at offset 0x17: import section: mutability is 0x02");
}

TEST(Limits, AreRefusedWhenMalformed) {
  const auto with_memory = [](const std::string& limits) {
    return module_of({section(5, vec({limits}))});
  };
  expect_malformed(with_memory(raw({0x10, 1})),
                   "at offset 0xb: memory section: limits start with 0x10, expected 0 or 1");
  expect_malformed(with_memory(raw({1, 2, 1})),
                   "at offset 0xb: memory section: the maximum, 1, is below the initial size, 2");
  expect_malformed(
      with_memory(raw({0}) + test::leb(65537)),
      "at offset 0xb: memory section: a memory of 65537 pages, a 32-bit one has at most 65536");
  expect_malformed(module_of({section(4, vec({raw({0x7f, 0, 1})}))}),
                   "at offset 0xb: table section: 0x7f is no reference type");
}

TEST(Exports, AreRefusedWhenTwoHaveOneName) {
  ModuleBuilder builder;
  builder.memory(raw({0, 1})).exported("a\nb", 2, 0).exported("a\nb", 2, 0);

  expect_malformed(builder.bytes(),
                   "at offset 0x16: export section: two exports are named a\\x0ab");
}

TEST(Exports, AreRefusedWhenTheirIndexIsOutOfRange) {
  const std::vector<std::string> kinds = {"function", "table", "memory", "global"};
  for (int kind = 0; kind < 4; ++kind) {
    const std::string bytes = ModuleBuilder().exported("x", kind, 0).bytes();
    expect_malformed(bytes,
                     "at offset 0xe: export section: " + kinds[static_cast<std::size_t>(kind)] +
                         " index 0 is out of range, there are 0");
  }
}

TEST(Start, IsRefusedUnlessItTakesAndReturnsNothing) {
  ModuleBuilder builder;
  builder.function(builder.type({test::kI32}, ""), kEnd).start(0);

  expect_malformed(builder.bytes(),
                   "at offset 0x15: start section: start function 0 is (i32) -> (), expected () -> "
                   "()");
}

TEST(Start, IsRefusedWhenItsIndexIsOutOfRange) {
  expect_malformed(ModuleBuilder().start(3).bytes(),
                   "at offset 0xa: start section: function index 3 is out of range, there are 0");
}

TEST(ElementSegments, AreRefusedWhenMalformed) {
  const auto with_segment = [](const std::string& segment) {
    return ModuleBuilder().table(raw({0x70, 0, 1})).element(segment).bytes();
  };
  expect_malformed(with_segment(raw({8})),
                   "at offset 0x11: element section: unknown kind 8 of element segment");
  expect_malformed(with_segment(raw({1, 7, 0})),
                   "at offset 0x12: element section: unknown element kind 0x07");
  expect_malformed(
      with_segment(raw({0, 0x41, 0, 0x0b, 1, 0})),
      "at offset 0x16: element section: function index 0 is out of range, there are 0");
  expect_malformed(with_segment(raw({2, 1, 0x41, 0, 0x0b, 0, 0})),
                   "at offset 0x12: element section: table index 1 is out of range, there are 1");
  expect_malformed(
      ModuleBuilder().element(raw({0, 0x41, 0, 0x0b, 0})).bytes(),
      "at offset 0xb: element section: an active element segment, and the module has no table");
}

TEST(DataSegments, AreRefusedWhenMalformed) {
  const auto with_segment = [](const std::string& segment) {
    return ModuleBuilder().memory(raw({0, 1})).data(segment).bytes();
  };
  expect_malformed(with_segment(raw({3})),
                   "at offset 0x10: data section: unknown kind 3 of data segment");
  expect_malformed(with_segment(raw({1, 5, 'x'})),
                   "at offset 0x12: data section: data segment has 5 bytes, only 1 are left");
  expect_malformed(
      ModuleBuilder().data_at(0, "x").bytes(),
      "at offset 0xb: data section: an active data segment, and the module has no memory");
}

TEST(DataCount, IsRefusedWhenItIsNotTheNumberOfSegments) {
  expect_malformed(ModuleBuilder().memory(raw({0, 1})).data_count(2).data_at(0, "x").bytes(),
                   "at offset 0x12: data section: 1 segments, the data count section says 2");
  expect_malformed(ModuleBuilder().data_count(2).bytes(),
                   "at offset 0xb: module: no data section, the data count section says 2");
}

TEST(Code, IsRefusedWhenBodiesAndFunctionsDiffer) {
  expect_malformed(module_of({section(1, vec({kNothingType})), section(3, vec({raw({0})}))}),
                   "at offset 0x12: module: no code section, the function section declares 1");
  expect_malformed(module_of({section(10, vec({raw({2, 0, 0x0b})}))}),
                   "at offset 0xa: code section: 1 function bodies, the function section declares "
                   "0");
}

}  // namespace
}  // namespace nur
