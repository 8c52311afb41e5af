// The contract of the nur stream ABI, with a guest that writes down what it is called with.
#include "host/abi/stream/nur_stream.h"

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::run_guest;

// Sends back every chunk behind its length as one byte per 256 ("<n/256>"), and an 'E' for the end.
// "q" as the first byte of a chunk: ends. "t": traps. "o": sends from outside its memory.
// "a": sends, ends, and then sends and logs more. The second alloc of a chunk starting with 'x'
// answers a pointer outside memory.
constexpr std::string_view kRecorder = R"((module
  (import "nur" "nur_send" (func $send (param i32 i32)))
  (import "nur" "nur_log" (func $log (param i32 i32)))
  (import "nur" "nur_end" (func $end))
  (memory (export "memory") 2)
  (data (i32.const 0) "E!")
  (global $polls (mut i32) (i32.const 0))
  (global $bad (mut i32) (i32.const 0))
  (func (export "alloc") (param i32) (result i32)
    (if (global.get $bad) (then (return (i32.const -16))))
    (i32.const 4096))
  (func (export "poll_stream") (param $at i32) (param $bytes i32) (local $first i32)
    (global.set $polls (i32.add (global.get $polls) (i32.const 1)))
    (if (i32.eqz (local.get $bytes)) (then
      (call $send (i32.const 0) (i32.const 1))
      (return)))
    (local.set $first (i32.load8_u (local.get $at)))
    (i32.store8 (i32.const 16) (i32.add (i32.const 0x30) (i32.shr_u (local.get $bytes) (i32.const 8))))
    (call $send (i32.const 16) (i32.const 1))
    (call $log (local.get $at) (i32.const 1))
    (if (i32.eq (local.get $first) (i32.const 0x71)) (then (call $end)))
    (if (i32.eq (local.get $first) (i32.const 0x74)) (then unreachable))
    (if (i32.eq (local.get $first) (i32.const 0x78)) (then (global.set $bad (i32.const 1))))
    (if (i32.eq (local.get $first) (i32.const 0x6f)) (then
      (call $send (i32.const 131070) (i32.const 3))))
    (if (i32.eq (local.get $first) (i32.const 0x61)) (then
      (call $end) (call $send (i32.const 1) (i32.const 1)) (call $log (i32.const 1) (i32.const 1))
      (call $end)))))
)";

struct Ran {
  Outcome outcome;
  std::string output;
  std::string logs;
  bool overflowed = false;
};

Ran run(std::string_view input, std::size_t output_bytes_max = 1 << 20) {
  const auto module = load_wat(kRecorder);
  const auto instance = *Instance::create(*module, SandboxLimits{});
  const StreamEntries entries = *StreamEntries::find(module->manifest());
  std::vector<HostFunction> functions;
  for (const ManifestImport& import : module->manifest().imports) {
    functions.push_back(find_stream_function(import.name));
  }
  Ran ran;
  NurStream stream(entries, input, output_bytes_max,
                   [&](std::string_view text) { ran.logs += text; });
  ran.outcome = run_guest(*instance, stream, functions);
  ran.output = stream.take_output();
  ran.overflowed = stream.overflowed();
  return ran;
}

TEST(NurStream, DeliversChunksOfAtMost1024BytesAndThenTheEndOnce) {
  EXPECT_EQ(run(std::string(2500, 'z')).output, "441E");  // 1024, 1024, 452 bytes
  EXPECT_EQ(run(std::string(1024, 'z')).output, "4E");
  EXPECT_EQ(run("z").output, "0E");
}

TEST(NurStream, TellsOfTheEndEvenWithoutInput) { EXPECT_EQ(run("").output, "E"); }

TEST(NurStream, PollsNoMoreAfterNurEnd) {
  const Ran ran = run("q" + std::string(5000, 'z'));

  EXPECT_EQ(ran.outcome.kind, Outcome::Kind::returned);
  EXPECT_EQ(ran.output, "4");
}

TEST(NurStream, DropsWhatIsSentOrLoggedAfterNurEnd) {
  const Ran ran = run("a");

  EXPECT_EQ(ran.output, "0");
  EXPECT_EQ(ran.logs, "a");
}

TEST(NurStream, KeepsStateFromChunkToChunk) {
  EXPECT_EQ(run(std::string(1024, 'z') + "y").logs, "zy");
}

TEST(NurStream, KeepsWhatWasSentBeforeATrap) {
  const Ran ran = run("t");

  EXPECT_EQ(ran.outcome.trap, NUR_TRAP_UNREACHABLE);
  EXPECT_EQ(ran.output, "0");
}

TEST(NurStream, TrapsAGuestThatSendsFromOutsideItsMemory) {
  const Ran ran = run("o");

  EXPECT_EQ(ran.outcome.kind, Outcome::Kind::trapped);
  EXPECT_EQ(ran.outcome.trap, NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
}

TEST(NurStream, TrapsAGuestThatAllocatesOutsideItsMemory) {
  const Ran ran = run("x" + std::string(2000, 'z'));

  EXPECT_EQ(ran.outcome.kind, Outcome::Kind::trapped);
  EXPECT_EQ(ran.outcome.trap, NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
}

TEST(NurStream, StopsAGuestThatSendsMoreThanTheLimit) {
  const Ran ran = run(std::string(5000, 'z'), 3);

  EXPECT_EQ(ran.outcome.kind, Outcome::Kind::trapped);
  EXPECT_TRUE(ran.overflowed);
}

TEST(StreamEntries, RefusesAModuleWithoutAlloc) {
  Manifest manifest;
  manifest.exports.push_back(
      {"poll_stream", ExternalKind::function, {{ValueType::i32, ValueType::i32}, {}}, 0});

  const Result<StreamEntries> entries = StreamEntries::find(manifest);

  ASSERT_FALSE(entries);
  EXPECT_NE(entries.error().message.find("alloc"), std::string::npos);
}

TEST(StreamEntries, RefusesPollStreamOfAnotherType) {
  Manifest manifest;
  manifest.exports.push_back(
      {"alloc", ExternalKind::function, {{ValueType::i32}, {ValueType::i32}}, 0});
  manifest.exports.push_back({"poll_stream", ExternalKind::function, {{ValueType::i64}, {}}, 1});

  const Result<StreamEntries> entries = StreamEntries::find(manifest);

  ASSERT_FALSE(entries);
  EXPECT_NE(entries.error().message.find("poll_stream"), std::string::npos);
}

}  // namespace
}  // namespace nur
