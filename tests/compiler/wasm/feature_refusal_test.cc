// Each feature that nur does not run is refused by its name, wherever it shows.
#include <string>

#include <gtest/gtest.h>

#include "tests/compiler/wasm/expect_refusal.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::expect_malformed;
using test::module_of;
using test::module_with_body;
using test::ModuleBuilder;
using test::name;
using test::raw;
using test::section;
using test::vec;

// Where the first instruction of module_with_body lies.
constexpr char kAt[] = " at offset 0x22), which nur does not run";

void expect_instruction_refused(const std::string& instruction, const std::string& feature,
                                const std::string& construct) {
  expect_malformed(module_with_body(instruction + raw({0x0b})),
                   "uses " + feature + " (" + construct + kAt);
}

TEST(RefusedFeatures, TailCalls) {
  expect_instruction_refused(raw({0x12, 0}), "tail calls", "return_call");
  expect_instruction_refused(raw({0x13, 0, 0}), "tail calls", "return_call_indirect");
  expect_instruction_refused(raw({0x15, 0}), "tail calls", "return_call_ref");
}

TEST(RefusedFeatures, Exceptions) {
  expect_instruction_refused(raw({0x06, 0x40}), "exceptions", "try");
  expect_instruction_refused(raw({0x07, 0}), "exceptions", "catch");
  expect_instruction_refused(raw({0x08, 0}), "exceptions", "throw");
  expect_instruction_refused(raw({0x09, 0}), "exceptions", "rethrow");
  expect_instruction_refused(raw({0x0a}), "exceptions", "throw_ref");
  expect_instruction_refused(raw({0x18, 0}), "exceptions", "delegate");
  expect_instruction_refused(raw({0x19}), "exceptions", "catch_all");
  expect_instruction_refused(raw({0x1f, 0x40, 0}), "exceptions", "try_table");
  expect_malformed(module_of({section(13, vec({raw({0, 0})}))}),
                   "uses exceptions (tag section at offset 0x8), which nur does not run");
  expect_malformed(ModuleBuilder().import("m", "t", raw({4, 0, 0})).bytes(),
                   "uses exceptions (tag at offset 0xf), which nur does not run");
  expect_malformed(ModuleBuilder().exported("t", 4, 0).bytes(),
                   "uses exceptions (tag at offset 0xd), which nur does not run");
  expect_malformed(module_of({section(1, vec({raw({0x60, 1, 0x69, 0})}))}),
                   "uses exceptions (type 0x69 at offset 0xd), which nur does not run");
}

TEST(RefusedFeatures, Threads) {
  expect_instruction_refused(raw({0xfe, 0x10, 2, 0}), "threads", "atomic opcode 0xfe");
  expect_malformed(ModuleBuilder().memory(raw({3, 1, 2})).bytes(),
                   "uses threads (shared limits at offset 0xb), which nur does not run");
}

TEST(RefusedFeatures, Memory64) {
  expect_malformed(ModuleBuilder().memory(raw({4, 1})).bytes(),
                   "uses memory64 (64-bit limits at offset 0xb), which nur does not run");
  expect_malformed(ModuleBuilder().table(raw({0x70, 5, 1, 2})).bytes(),
                   "uses memory64 (64-bit limits at offset 0xc), which nur does not run");
  expect_malformed(ModuleBuilder().import("m", "m", raw({2, 4, 1})).bytes(),
                   "uses memory64 (64-bit limits at offset 0x10), which nur does not run");
}

TEST(RefusedFeatures, CustomPageSizes) {
  expect_malformed(ModuleBuilder().memory(raw({8, 1, 0})).bytes(),
                   "uses custom page sizes (page size at offset 0xb), which nur does not run");
}

TEST(RefusedFeatures, MultiMemory) {
  expect_malformed(ModuleBuilder().memory(raw({0, 1})).memory(raw({0, 1})).bytes(),
                   "uses multi-memory (a second memory at offset 0xd), which nur does not run");
  expect_malformed(ModuleBuilder().import("m", "m", raw({2, 0, 1})).memory(raw({0, 1})).bytes(),
                   "uses multi-memory (a second memory at offset 0x15), which nur does not run");
  expect_instruction_refused(raw({0x41, 0, 0x28, 0x42, 1, 0}).substr(2), "multi-memory",
                             "memory access with a memory index");
  expect_instruction_refused(raw({0x3f, 1}), "multi-memory", "memory index other than 0");
  expect_malformed(ModuleBuilder().memory(raw({0, 1})).data(raw({2, 1, 0x41, 0, 0x0b, 0})).bytes(),
                   "uses multi-memory (data segment of memory other than 0 at offset 0x10), which "
                   "nur does not run");
}

TEST(RefusedFeatures, GarbageCollection) {
  expect_instruction_refused(raw({0xfb, 0}), "garbage collection", "opcode 0xfb");
  expect_instruction_refused(raw({0xd3}), "garbage collection", "ref.eq");
  for (const int form : {0x4e, 0x4f, 0x50, 0x5e, 0x5f}) {
    expect_malformed(module_of({section(1, vec({raw({form, 0})}))}),
                     fmt::format("uses garbage collection (type {:#04x} at offset 0xb), which nur "
                                 "does not run",
                                 form));
  }
  for (const int type : {0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73}) {
    expect_malformed(module_of({section(1, vec({raw({0x60, 1, type, 0})}))}),
                     fmt::format("uses garbage collection (type {:#04x} at offset 0xd), which nur "
                                 "does not run",
                                 type));
  }
  expect_malformed(ModuleBuilder().global(raw({test::kI32, 0, 0xfb, 0x1c, 0x0b})).bytes(),
                   "uses garbage collection (constant expression at offset 0xd), which nur does "
                   "not run");
}

TEST(RefusedFeatures, TypedFunctionReferences) {
  expect_instruction_refused(raw({0x14, 0}), "typed function references", "call_ref");
  expect_instruction_refused(raw({0xd4}), "typed function references", "ref.as_non_null");
  expect_instruction_refused(raw({0xd5, 0}), "typed function references", "br_on_null");
  expect_instruction_refused(raw({0xd6, 0}), "typed function references", "br_on_non_null");
  expect_malformed(module_with_body(raw({0xd0, 0, 0x1a, 0x0b})),
                   "uses typed function references (ref.null of a type index at offset 0x23), "
                   "which nur does not run");
  for (const int type : {0x63, 0x64}) {
    expect_malformed(module_of({section(1, vec({raw({0x60, 1, type, 0, 0})}))}),
                     fmt::format("uses typed function references (type {:#04x} at offset 0xd), "
                                 "which nur does not run",
                                 type));
  }
  expect_malformed(ModuleBuilder().table(raw({0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b})).bytes(),
                   "uses typed function references (table with an initial value at offset 0xb), "
                   "which nur does not run");
}

TEST(RefusedFeatures, RelaxedSimd) {
  expect_instruction_refused(raw({0xfd, 0x80, 0x02}), "relaxed SIMD",
                             "opcode 0xfd with a second one above 0xff");
}

TEST(RefusedFeatures, WideArithmetic) {
  expect_instruction_refused(raw({0xfc, 19}), "wide arithmetic", "i64.add128");
  expect_instruction_refused(raw({0xfc, 20}), "wide arithmetic", "i64.sub128");
  expect_instruction_refused(raw({0xfc, 21}), "wide arithmetic", "i64.mul_wide_s");
  expect_instruction_refused(raw({0xfc, 22}), "wide arithmetic", "i64.mul_wide_u");
}

}  // namespace
}  // namespace nur
