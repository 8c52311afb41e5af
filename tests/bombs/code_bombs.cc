#include "tests/bombs/bomb.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur::bombs {
namespace {

using namespace nur::test;

const std::string kEnd = raw({0x0b});
const std::string kLimit = "limit";

std::string repeated(std::size_t times, const std::string& part) {
  std::string text;
  text.reserve(times * part.size());
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

// One exported function (i32) -> i32 with a memory and a table.
std::string one_function(const std::string& body, const std::string& locals = raw({0})) {
  ModuleBuilder builder;
  builder.function(builder.type({kI32}, {kI32}), body + kEnd, locals);
  builder.memory(raw({0, 1})).table(raw({0x70, 0, 10}));
  builder.exported("f", 0, 0);
  return builder.bytes();
}

// `count` functions (i32) -> i32, the first exported.
template <class Body>
std::string many_functions(int count, Body body, const std::string& locals = raw({0})) {
  ModuleBuilder builder;
  const int type = builder.type({kI32}, {kI32});
  for (int index = 0; index < count; ++index) builder.function(type, body(index) + kEnd, locals);
  builder.memory(raw({0, 1}));
  builder.exported("f", 0, 0);
  return builder.bytes();
}

const std::string kGet = raw({0x20, 0});
const std::string kSet = raw({0x21, 0});

// Arithmetic on one variable: every statement depends on the one before.
std::string arithmetic(std::size_t bytes) {
  std::string body;
  for (std::uint32_t i = 1; body.size() < bytes; ++i) {
    body += kGet + i32_const(i * 2654435761U % (1U << 27)) + raw({0x6c}) + kGet +
            i32_const(i % 31) + raw({0x76, 0x73}) + kSet;
  }
  return body + kGet;
}

std::string huge_function() { return one_function(arithmetic(734'000)); }

std::string large_functions() {
  return many_functions(40, [](int) { return arithmetic(60'000); });
}

std::string memory_accesses() {
  std::string body;
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    body += kGet + kGet + raw({0x28, 2}) + leb(i * 4) + raw({0x36, 2}) + leb(i * 8) + kGet +
            raw({0x2d, 0}) + leb(i) + kSet;
  }
  return one_function(body + kGet);
}

// Ten thousand variables that are all alive all the time.
std::string locals_that_live() {
  std::string body;
  for (std::uint32_t i = 1; i < 9'999; ++i) {
    body += raw({0x20}) + leb(i - 1) + i32_const(i) + raw({0x6c, 0x21}) + leb(i);
  }
  body += raw({0x03, 0x40});
  for (std::uint32_t i = 1; i < 9'999; ++i) {
    body += raw({0x20}) + leb(i) + raw({0x20}) + leb(9'999 - i) + raw({0x6a, 0x21}) + leb(i);
  }
  body += raw({0x20, 1, 0x0d, 0, 0x0b}) + kGet;
  return one_function(body, raw({1}) + leb(9'999) + raw({kI32}));
}

std::string locals_in_many_functions() {
  return many_functions(
      300, [](int) { return kGet; }, raw({1}) + leb(9'999) + raw({kI64}));
}

// The stack is as deep as the function is long.
std::string deep_expression() {
  return one_function(repeated(40'000, kGet) + repeated(39'999, raw({0x6a})));
}

std::string selects() {
  std::string body = kGet;
  for (std::uint32_t i = 0; i < 40'000; ++i)
    body += kGet + i32_const(i) + raw({0x4a}) + kGet + raw({0x1b});
  // select takes value, value, condition: the compared one is the second.
  return one_function(body);
}

std::string divisions() {
  std::string body = kGet + raw({0xad, 0x21, 1});
  for (std::uint32_t i = 1; i < 30'000; ++i) {
    body += raw({0x20, 1, 0x20, 1, 0x42, 3, 0x7e, 0x42, 7, 0x84, 0x80, 0x42, 5, 0x82, 0x21, 1});
  }
  return one_function(body + raw({0x20, 1, 0xa7}), raw({1, 1, kI64}));
}

std::string conversions() {
  std::string body = kGet + raw({0xb7, 0x21, 1});
  for (int i = 0; i < 20'000; ++i) {
    body += raw({0x20, 1, 0x9f, 0xb6, 0xbb, 0xb0, 0xb9, 0x20, 1, 0xa3, 0x21, 1});
  }
  return one_function(body + raw({0x20, 1, 0xfc, 2}), raw({1, 1, kF64}));
}

std::string vectors() {
  std::string body = kGet + raw({0xfd, 0x11, 0x21, 1});
  for (int i = 0; i < 15'000; ++i) {
    body += raw({0x20, 1, 0x20, 1, 0xfd, 0xb5, 0x01, 0x20, 1, 0xfd, 0x0e,  // mul, swizzle
                 0x20, 1, 0xfd, 0x6e, 0x21, 1});                           // add
  }
  return one_function(body + raw({0x20, 1, 0xfd, 0x1b, 0}), raw({1, 1, kV128}));
}

std::string indirect_calls() {
  return one_function(repeated(20'000, kGet + kGet + raw({0x11, 0, 0}) + kSet) + kGet);
}

std::string nested(std::size_t depth, int opcode, const std::string& condition,
                   const std::string& inside) {
  return repeated(depth, condition + raw({opcode, 0x40})) + inside + repeated(depth, kEnd);
}

std::string nested_ifs(std::size_t depth, int functions) {
  return many_functions(functions, [&](int) { return nested(depth, 0x04, kGet, "") + kGet; });
}
std::string ifs_as_deep_as_may_be() { return nested_ifs(1'000, 40); }
std::string ifs_deeper() { return nested_ifs(5'000, 1); }
std::string ifs_much_deeper() { return nested_ifs(16'000, 1); }

std::string nested_blocks() { return one_function(nested(16'000, 0x02, "", "") + kGet); }

// Every loop can go back to every one around it.
std::string nested_loops() {
  std::string inside;
  for (std::uint32_t label = 0; label < 1'000; ++label) {
    inside += kGet + i32_const(label) + raw({0x46, 0x0d}) + leb(label) + kGet + i32_const(1) +
              raw({0x6a}) + kSet;
  }
  return one_function(nested(1'000, 0x03, "", inside) + kGet);
}

// Each block's end is reached from twenty places.
std::string branch_ladder() {
  std::string inside;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    inside += kGet + i32_const(i) + raw({0x46, 0x0d}) + leb(i * 7919 % 1'000) + kGet +
              i32_const(i) + raw({0x6a}) + kSet;
  }
  return one_function(nested(1'000, 0x02, "", inside) + kGet);
}

std::string switch_of(std::uint32_t targets) {
  std::string table = raw({0x0e}) + leb(targets);
  for (std::uint32_t i = 0; i <= targets; ++i) table += leb(i % 2);
  return table;
}
std::string largest_switch() {
  return one_function(nested(2, 0x02, "", kGet + switch_of(20'000)) + kGet);
}
std::string too_large_switch() {
  return one_function(nested(2, 0x02, "", kGet + switch_of(20'001)) + kGet);
}
std::string many_switches() {
  return one_function(repeated(100, nested(2, 0x02, "", kGet + switch_of(5'000))) + kGet);
}

// A switch in a loop whose thousand cases all fall into the next one.
std::string interpreter() {
  std::string body =
      raw({0x03, 0x40}) + repeated(998, raw({0x02, 0x40})) + kGet + raw({0x0e}) + leb(997);
  for (std::uint32_t i = 0; i <= 997; ++i) body += leb(i);
  for (std::uint32_t i = 0; i < 998; ++i) {
    body += kEnd + kGet + i32_const(i * 77) + raw({0x6c}) + kSet;
    if (i % 3 == 0) body += raw({0x0c}) + leb(997 - i);
  }
  return one_function(body + kEnd + kGet);
}

std::string calls_twice(int depth) {
  return many_functions(depth, [&](int index) {
    if (index + 1 == depth) return kGet + i32_const(3) + raw({0x6c});
    const std::string call = raw({0x10}) + leb(static_cast<std::uint64_t>(index) + 1);
    return kGet + call + kGet + i32_const(1) + raw({0x6a}) + call + raw({0x6a});
  });
}
std::string exponential_calls() { return calls_twice(60); }

std::string call_chain() {
  constexpr int kCount = 10'000;
  return many_functions(kCount, [](int index) {
    const std::string add = kGet + i32_const(1) + raw({0x6a});
    if (index + 1 == kCount) return add;
    return add + raw({0x10}) + leb(static_cast<std::uint64_t>(index) + 1);
  });
}

// One function calls all others, which are small enough to go into it.
std::string one_calls_all() {
  return many_functions(8'000, [](int index) {
    if (index != 0) return kGet + i32_const(static_cast<std::uint32_t>(index)) + raw({0x6c});
    std::string body;
    for (std::uint32_t i = 1; i < 8'000; ++i) body += kGet + raw({0x10}) + leb(i) + kSet;
    return body + kGet;
  });
}

std::string nops() { return one_function(std::string(7'600'000, '\x01') + kGet); }
std::string too_long_function() { return one_function(std::string(7'654'321, '\x01') + kGet); }

// Sixty thousand times the same hundred bytes, which an archive has in a few.
std::string repeats() {
  return many_functions(6'000, [](int) { return arithmetic(200); });
}

std::string many_results() {
  ModuleBuilder builder;
  const int many = builder.type({kI32}, std::string(1'000, kI32));
  const int one = builder.type({kI32}, {kI32});
  builder.function(many, repeated(1'000, kGet) + kEnd);
  builder.function(
      one, repeated(60, kGet + raw({0x10, 0}) + repeated(1'000, raw({0x1a}))) + kGet + kEnd);
  builder.exported("f", 0, 1);
  return builder.bytes();
}

}  // namespace

std::vector<Bomb> code_bombs() {
  using enum Ending;
  return {
      {"one-function-of-734-kb", either, kLimit, false, huge_function},
      {"forty-functions-of-60-kb", either, kLimit, false, large_functions},
      {"30000-memory-accesses", either, kLimit, false, memory_accesses},
      {"10000-locals-alive", either, kLimit, false, locals_that_live},
      {"10000-locals-in-300-functions", artefact, kLimit, false, locals_in_many_functions},
      {"expression-40000-deep", either, kLimit, false, deep_expression},
      {"40000-selects", either, kLimit, false, selects},
      {"30000-divisions", either, kLimit, false, divisions},
      {"20000-conversions", either, kLimit, false, conversions},
      {"15000-vector-operations", either, kLimit, false, vectors},
      {"20000-indirect-calls", either, kLimit, false, indirect_calls},
      {"1000-nested-ifs-in-40-functions", either, kLimit, false, ifs_as_deep_as_may_be},
      {"5000-nested-ifs", refusal, "1001 nested blocks, the limit is 1000", true, ifs_deeper},
      {"16000-nested-ifs", refusal, "1001 nested blocks, the limit is 1000", true, ifs_much_deeper},
      {"16000-nested-blocks", refusal, "1001 nested blocks, the limit is 1000", true,
       nested_blocks},
      {"1000-nested-loops", either, kLimit, false, nested_loops},
      {"20000-branches-out-of-1000-blocks", either, kLimit, false, branch_ladder},
      {"switch-of-20000", artefact, kLimit, true, largest_switch},
      {"switch-of-20001", refusal, "20001 targets of br_table", true, too_large_switch},
      {"100-switches-of-5000", either, kLimit, false, many_switches},
      {"switch-of-1000-falling-cases", either, kLimit, false, interpreter},
      {"two-calls-each-60-deep", artefact, kLimit, true, exponential_calls},
      {"chain-of-10000-calls", artefact, kLimit, false, call_chain},
      {"one-calls-8000", either, kLimit, false, one_calls_all},
      {"7600000-nops", artefact, kLimit, true, nops},
      {"function-of-7654324-bytes", refusal, "the limit is 7654321", true, too_long_function},
      {"6000-times-the-same", either, kLimit, false, repeats},
      {"1000-results-60-times", either, kLimit, false, many_results},
  };
}

}  // namespace nur::bombs
