#include <fmt/format.h>

#include "tests/bombs/bomb.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur::bombs {
namespace {

using namespace nur::test;

const std::string kEnd = raw({0x0b});
const std::string kLimit = "limit";

ModuleBuilder with_function() {
  ModuleBuilder builder;
  builder.function(builder.type({kI32}, {kI32}), raw({0x20, 0, 0x0b}));
  builder.exported("f", 0, 0);
  return builder;
}

// All are written by one function, so that none can be left out.
std::string globals(int count) {
  ModuleBuilder builder;
  std::string body;
  for (int index = 0; index < count; ++index) {
    builder.global(raw({kI64, 1, 0x42, 1, 0x0b}));
    const std::string number = leb(static_cast<std::uint64_t>(index));
    body += raw({0x23}) + number + raw({0x42, 3, 0x7e, 0x24}) + number;
  }
  builder.function(builder.type("", ""), body + kEnd);
  builder.exported("f", 0, 0);
  return builder.bytes();
}
std::string most_globals() { return globals(10'000); }
std::string too_many_globals() { return globals(20'000); }

std::string tiny_functions() {
  ModuleBuilder builder;
  const int type = builder.type({kI32}, {kI32});
  for (int index = 0; index < 30'000; ++index) {
    builder.function(
        type, raw({0x20, 0}) + i32_const(static_cast<std::uint32_t>(index)) + raw({0x6a, 0x0b}));
  }
  std::vector<std::string> all;
  for (int index = 0; index < 30'000; ++index)
    all.push_back(leb(static_cast<std::uint64_t>(index)));
  builder.table(raw({0x70, 0}) + leb(30'000)).element(raw({0, 0x41, 0, 0x0b}) + vec(all));
  builder.exported("f", 0, 0);
  return builder.bytes();
}

std::string types(int count) {
  ModuleBuilder builder = with_function();
  for (int index = 1; index < count; ++index) {
    std::string parameters;
    for (int bit = 0; bit < 17; ++bit) parameters += (index >> bit & 1) != 0 ? kI32 : kF64;
    builder.type(parameters, "");
  }
  return builder.bytes();
}
std::string most_types() { return types(20'000); }
std::string too_many_types() { return types(100'000); }

std::string type_count_lies() {
  return module_of({section(1, leb(0xffffffff) + raw({0x60, 0, 0}))});
}

std::string exports(int count) {
  ModuleBuilder builder = with_function();
  for (int index = 1; index < count; ++index) {
    builder.exported(fmt::format("*/ int f{}(void){{return 0;}} /*", index), 0, 0);
  }
  return builder.bytes();
}
std::string most_exports() { return exports(10'000); }
std::string too_many_exports() { return exports(10'001); }

std::string imports(int count) {
  ModuleBuilder builder;
  const int write = builder.type({kI32, kI32}, "");
  const int alloc = builder.type({kI32}, {kI32});
  for (int index = 0; index < count; ++index) builder.import_function("nur", "nur_send", write);
  builder.function(write, kEnd).function(alloc, raw({0x41, 0, 0x0b})).memory(raw({0, 1}));
  builder.exported("poll_stream", 0, count)
      .exported("alloc", 0, count + 1)
      .exported("memory", 2, 0);
  return builder.bytes();
}
std::string most_imports() { return imports(1'000); }
std::string too_many_imports() { return imports(1'001); }

std::string elements(std::uint32_t count, int segments) {
  ModuleBuilder builder = with_function();
  builder.table(raw({0x70, 0}) + leb(65'536));
  const std::string entries = leb(count) + std::string(count, '\0');
  for (int index = 0; index < segments; ++index) builder.element(raw({0, 0x41, 0, 0x0b}) + entries);
  return builder.bytes();
}
std::string most_elements() { return elements(65'536, 10); }
std::string element_segments() { return elements(1, 10'000); }
std::string too_many_elements() { return elements(65'537, 1); }

std::string tables() {
  ModuleBuilder builder = with_function();
  for (int index = 0; index < 100; ++index) builder.table(raw({0x70, 0}) + leb(65'536));
  return builder.bytes();
}
std::string huge_table() { return with_function().table(raw({0x70, 0}) + leb(0xfffffff0)).bytes(); }

std::string data() {
  ModuleBuilder builder = with_function();
  builder.memory(raw({0}) + leb(1'000));
  std::string bytes(60'000'000, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 3) bytes[i] = static_cast<char>(i * i >> 7);
  builder.data_at(0, bytes);
  return builder.bytes();
}
// A byte on each of as many pages of 4 KiB: half a megabyte that asks for 400.
std::string scattered_data() {
  ModuleBuilder builder = with_function();
  builder.memory(raw({0}) + leb(16'000));
  for (std::uint32_t index = 0; index < 60'000; ++index) builder.data_at(index * 4'096, "x");
  return builder.bytes();
}
std::string too_scattered_data() {
  ModuleBuilder builder = with_function();
  builder.memory(raw({0}) + leb(16'000));
  for (std::uint32_t index = 0; index < 65'535; ++index) builder.data_at(index * 4'096, "x");
  builder.data_at(65'536 * 4'096 - 1, "xx");
  return builder.bytes();
}
std::string passive_data() {
  ModuleBuilder builder = with_function();
  builder.memory(raw({0, 1})).data_count(50'000);
  for (int index = 0; index < 50'000; ++index) builder.data(raw({1}) + name("passive"));
  return builder.bytes();
}

std::string constant_expression(int additions) {
  ModuleBuilder builder = with_function();
  std::string sum = raw({0x41, 1});
  for (int index = 0; index < additions; ++index) sum += raw({0x41, 3, 0x6a});
  builder.global(raw({kI32, 0}) + sum + kEnd);
  return builder.bytes();
}
std::string long_constant() { return constant_expression(4'999); }
std::string too_long_constant() { return constant_expression(200'000); }
std::string deep_constant_expression() {
  ModuleBuilder builder = with_function();
  std::string deep;
  for (int index = 0; index < 100'000; ++index) deep += raw({0x41, 1});
  builder.global(raw({kI32, 0}) + deep + std::string(99'999, '\x6a') + kEnd);
  return builder.bytes();
}

std::string locals_lie() {
  ModuleBuilder builder;
  const std::string group = leb(0xffffffff) + std::string(1, kI32);
  builder.function(builder.type("", ""), kEnd, vec({group}));
  builder.exported("f", 0, 0);
  return builder.bytes();
}

// Numbers of as many bytes as are allowed, and one of more.
std::string padded_numbers() {
  const std::string zero = raw({0x80, 0x80, 0x80, 0x80, 0x00});
  ModuleBuilder builder;
  std::string body;
  for (int index = 0; index < 20'000; ++index) body += raw({0x20}) + zero + raw({0x21}) + zero;
  builder.function(builder.type({kI32}, {kI32}), body + raw({0x20}) + zero + kEnd);
  builder.exported("f", 0, 0);
  return builder.bytes();
}
std::string overlong_numbers() {
  return module_of({section(1, raw({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}))});
}

std::string names() {
  ModuleBuilder builder = with_function();
  const std::string hostile(10'000'000, '\n');
  builder.custom("name",
                 raw({1}) + name(vec({leb(0) + name("#include \"/etc/passwd\"" + hostile)})));
  return builder.bytes();
}

std::string start_function() {
  ModuleBuilder builder;
  const int nothing = builder.type("", "");
  std::string body;
  for (int index = 0; index < 20'000; ++index) body += raw({0x10, 1});
  builder.function(nothing, body + kEnd);
  builder.function(nothing, raw({0x03, 0x40, 0x0c, 0, 0x0b, 0x0b}));
  builder.start(0).exported("f", 0, 1);
  return builder.bytes();
}

std::string too_large() { return module_of({section(0, name("x") + std::string(64 << 20, 'x'))}); }

std::string deep_text() {
  std::string text = "(module (func (export \"f\") ";
  for (int depth = 0; depth < 200'000; ++depth) text += "(block ";
  return text + std::string(200'000, ')') + "))";
}
std::string open_text() { return "(module " + std::string(5'000'000, '('); }
std::string long_text() {
  std::string text = "(module (func (export \"f\") (param i32) (result i32)\n";
  for (int line = 0; line < 400'000; ++line) text += "  local.get 0 drop nop\n";
  return text + "  local.get 0))\n";
}

}  // namespace

std::vector<Bomb> shape_bombs() {
  using enum Ending;
  return {
      {"10000-globals", artefact, kLimit, false, most_globals},
      {"20000-globals", refusal, "globals, the limit is 10000", true, too_many_globals},
      {"30000-functions-in-a-table", either, kLimit, false, tiny_functions},
      {"20000-types", artefact, kLimit, true, most_types},
      {"100000-types", refusal, "100000 types, the limit is 20000", true, too_many_types},
      {"4294967295-types-in-three-bytes", refusal, "number of types", true, type_count_lies},
      {"10000-hostile-exports", artefact, kLimit, false, most_exports},
      {"10001-exports", refusal, "exports, the limit is 10000", true, too_many_exports},
      {"1000-imports", artefact, kLimit, true, most_imports},
      {"1001-imports", refusal, "imports, the limit is 1000", true, too_many_imports},
      {"65536-elements-ten-times", artefact, kLimit, false, most_elements},
      {"10000-element-segments", artefact, kLimit, false, element_segments},
      {"65537-elements", refusal, "65537 entries of an element segment", true, too_many_elements},
      {"100-tables-of-65536", artefact, kLimit, true, tables},
      {"table-of-4294967280", refusal, "entries of a table, the limit is 65536", true, huge_table},
      {"60-mb-of-data", artefact, kLimit, true, data},
      {"60000-pages-of-data", artefact, kLimit, false, scattered_data},
      {"65537-pages-of-data", refusal, kLimit, true, too_scattered_data},
      {"50000-passive-segments", either, kLimit, false, passive_data},
      {"constant-of-4999-additions", artefact, kLimit, true, long_constant},
      {"constant-of-200000-additions", refusal, "instructions of a constant expression", true,
       too_long_constant},
      {"constant-100000-deep", refusal, "values on the stack of a constant expression", true,
       deep_constant_expression},
      {"4294967295-locals-in-six-bytes", refusal, "parameters and locals, the limit is 10000", true,
       locals_lie},
      {"padded-numbers", artefact, kLimit, true, padded_numbers},
      {"overlong-numbers", refusal, "offset", true, overlong_numbers},
      {"name-of-10-mb", artefact, kLimit, true, names},
      {"start-of-20000-calls", either, kLimit, true, start_function},
      {"module-of-64-mb", refusal, "the limit is 67108864|more than 67108864 bytes", true,
       too_large},
      {"text-200000-deep", tool_dies, "wat2wasm|nested blocks", true, deep_text, true},
      {"text-of-open-parentheses", tool_dies, "wat2wasm", true, open_text, true},
      {"text-of-400000-lines", artefact, kLimit, false, long_text, true},
  };
}

}  // namespace nur::bombs
