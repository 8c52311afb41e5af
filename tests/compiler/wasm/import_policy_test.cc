#include "compiler/wasm/import_policy.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::kI32;
using test::kI64;
using test::ModuleBuilder;
using test::raw;
using testing::HasSubstr;

const std::string kEnd = raw({0x0b});
const std::string kZero = raw({0x41, 0, 0x0b});

// A module that nur can call, to which tests add imports.
struct StreamModule {
  ModuleBuilder builder;
  int nothing = builder.type("", "");
  int pair = builder.type({kI32, kI32}, "");
  int alloc = builder.type({kI32}, {kI32});

  StreamModule() { builder.memory(raw({0, 1})).function(alloc, kZero).function(pair, kEnd); }
  std::string bytes(int imported = 0) {
    ModuleBuilder whole = builder;
    whole.exported("memory", 2, 0).exported("alloc", 0, imported);
    return whole.exported("poll_stream", 0, imported + 1).bytes();
  }
};

Result<GuestAbi> recognise(const std::string& bytes,
                           std::optional<GuestAbi> forced = std::nullopt) {
  return recognise_abi(read_module(bytes).value(), forced);
}

Result<void> check(const std::string& bytes, GuestAbi abi) {
  return check_imports(read_module(bytes).value(), abi);
}

void expect_refused(const std::string& bytes, GuestAbi abi, ErrorKind kind,
                    const std::string& message) {
  const Result<void> checked = check(bytes, abi);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, kind);
  EXPECT_EQ(checked.error().message, message);
}

std::string command_module(ModuleBuilder builder = {}, int imported = 0) {
  builder.function(builder.type("", ""), kEnd).memory(raw({0, 1}));
  return builder.exported("memory", 2, 0).exported("_start", 0, imported).bytes();
}

std::string typed_module() {
  ModuleBuilder builder;
  builder.function(builder.type({kI32, kI64}, {test::kF64}),
                   raw({0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b}));
  return builder.exported("gcd", 0, 0).bytes();
}

TEST(RecogniseAbi, LooksAtImportsAndExports) {
  EXPECT_EQ(recognise(StreamModule().bytes()), GuestAbi::nur);
  EXPECT_EQ(recognise(command_module()), GuestAbi::wasi);
  EXPECT_EQ(recognise(typed_module()), GuestAbi::typed);

  ModuleBuilder importing;
  importing.import_function("nur", "nur_end", importing.type("", ""));
  EXPECT_EQ(recognise(importing.bytes()), GuestAbi::nur);
}

// A module that answers by calls of env: its memory is imported, or its own and exported.
std::string handle_module(ModuleBuilder builder, bool imports_memory = true,
                          const std::string& name = "handle", int imported = 0) {
  if (imports_memory) {
    builder.import("env", "memory", raw({2, 0, 18}));
  } else {
    builder.memory(raw({0, 1})).exported("memory", 2, 0);
  }
  builder.function(builder.type("", ""), kEnd);
  return builder.exported(name, 0, imported).bytes();
}

TEST(RecogniseAbi, TakesImportsOfEnvOrAnExportHandleForHandle) {
  EXPECT_EQ(recognise(handle_module({})), GuestAbi::handle);
  EXPECT_EQ(recognise(handle_module({}, false)), GuestAbi::handle);
  ModuleBuilder builder;
  builder.import_function("env", "log", builder.type({kI32, kI64}, ""));
  EXPECT_EQ(recognise(handle_module(builder, true, "hello", 1)), GuestAbi::handle);
}

TEST(RecogniseAbi, TakesAMemoryOfEnvAloneForNothing) {
  EXPECT_EQ(recognise(handle_module({}, true, "hello")), GuestAbi::typed);
}

TEST(RecogniseAbi, TakesAnExportHandleOverNumbersForTyped) {
  ModuleBuilder builder;
  builder.function(builder.type({kI32}, {kI32}), kZero).exported("handle", 0, 0);
  EXPECT_EQ(recognise(builder.bytes()), GuestAbi::typed);
}

TEST(RecogniseAbi, LooksForStreamsAndCommandsBeforeHandle) {
  StreamModule stream;
  stream.builder.function(stream.nothing, kEnd).exported("handle", 0, 2);
  EXPECT_EQ(recognise(stream.bytes()), GuestAbi::nur);
  ModuleBuilder builder;
  builder.function(builder.type("", ""), kEnd).exported("_start", 0, 0);
  EXPECT_EQ(recognise(handle_module(builder)), GuestAbi::wasi);
}

TEST(CheckImports, AcceptsBothFormsOfTcpCallsAndWasiBesideThem) {
  ModuleBuilder builder;
  const int newer = builder.type({kI32, kI32, kI64}, {kI64});
  const int older = builder.type({kI32, kI32, kI64}, "");
  builder.import_function("env", "tcp_read", newer).import_function("env", "tcp_read", older);
  builder.import_function("env", "tcp_write", newer).import_function("env", "tcp_write", older);
  builder.import_function("wasi_snapshot_preview1", "sched_yield", builder.type("", {kI32}));

  const Result<void> checked = check(handle_module(builder, true, "handle", 5), GuestAbi::handle);

  EXPECT_TRUE(checked) << checked.error().message;
}

TEST(CheckImports, NamesBothFormsWhenATcpCallHasNeither) {
  ModuleBuilder builder;
  builder.import_function("env", "tcp_read", builder.type({kI32, kI32, kI32}, {kI32}));
  expect_refused(handle_module(builder, true, "handle", 1), GuestAbi::handle,
                 ErrorKind::invalid_input,
                 "imports env.tcp_read as (i32, i32, i32) -> i32, expected (i32, i32, i64) -> i64 "
                 "or (i32, i32, i64) -> ()");
}

TEST(CheckImports, RefusesWhatEnvDoesNotOffer) {
  ModuleBuilder builder;
  builder.import_function("env", "respond_set_body", builder.type({kI32, kI64}, ""));
  expect_refused(handle_module(builder, true, "handle", 1), GuestAbi::handle, ErrorKind::not_found,
                 "imports env.respond_set_body, which nur does not offer; did you mean "
                 "env.response_set_body?");
  ModuleBuilder stream;
  stream.import_function("nur", "nur_end", stream.type("", ""));
  expect_refused(handle_module(stream, true, "handle", 1), GuestAbi::handle, ErrorKind::not_found,
                 "imports nur.nur_end, which the guest abi handle does not offer; it offers "
                 "functions of env and wasi_snapshot_preview1");
}

TEST(CheckExports, HandleNeedsAMemoryAndSomethingToCall) {
  ModuleBuilder builder;
  const int nothing = builder.type("", "");
  builder.function(nothing, kEnd).exported("_initialize", 0, 0);
  expect_refused(builder.bytes(), GuestAbi::handle, ErrorKind::invalid_input,
                 "lacks exports that the guest abi handle needs: memory (or an import of "
                 "env.memory), handle () -> ()");
}

TEST(CheckExports, RefusesAnotherTypeOfInitialize) {
  ModuleBuilder builder;
  builder.function(builder.type({kI32}, ""), kEnd).exported("_initialize", 0, 0);
  builder.function(builder.type("", ""), kEnd).exported("handle", 0, 1);
  builder.memory(raw({0, 1})).exported("memory", 2, 0);
  expect_refused(builder.bytes(), GuestAbi::handle, ErrorKind::invalid_input,
                 "exports _initialize as (i32) -> (), expected () -> ()");
}

TEST(RecogniseAbi, TakesTheForcedOne) {
  EXPECT_EQ(recognise(command_module(), GuestAbi::typed), GuestAbi::typed);
}

TEST(RecogniseAbi, SaysWhatEachAbiLacksWhenNoneFits) {
  const Result<GuestAbi> abi = recognise(test::preamble());

  ASSERT_FALSE(abi);
  EXPECT_EQ(abi.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(abi.error().message,
            "exports nothing that nur can call: the guest abi nur lacks memory, alloc (i32) -> "
            "i32, poll_stream (i32, i32) -> (); wasi lacks memory, _start () -> (); handle lacks "
            "memory (or an import of env.memory), handle () -> (); typed lacks a function over "
            "i32, i64, f32 and f64");
}

TEST(RecogniseAbi, DoesNotCallFunctionsOverReferencesOrVectors) {
  ModuleBuilder builder;
  builder.function(builder.type({test::kV128}, ""), kEnd).exported("f", 0, 0);
  EXPECT_FALSE(recognise(builder.bytes()));
}

TEST(CheckImports, AcceptsEveryImportOfNur) {
  StreamModule stream;
  stream.builder.import_function("nur", "nur_log", stream.pair);
  stream.builder.import_function("nur", "nur_send", stream.pair);
  stream.builder.import_function("nur", "nur_end", stream.nothing);

  const Result<void> checked = check(stream.bytes(3), GuestAbi::nur);

  EXPECT_TRUE(checked) << checked.error().message;
}

TEST(CheckImports, AcceptsWasiForCommandsAndTypedModules) {
  ModuleBuilder builder;
  const int seek = builder.type({kI32, kI64, kI32, kI32}, {kI32});
  builder.import_function("wasi_snapshot_preview1", "fd_seek", seek);
  const std::string bytes = command_module(builder, 1);

  EXPECT_TRUE(check(bytes, GuestAbi::wasi));
  EXPECT_TRUE(check(bytes, GuestAbi::typed));
}

TEST(CheckImports, AcceptsAnImportedMemory) {
  ModuleBuilder builder;
  builder.import("env", "memory", raw({2, 0, 18}));
  builder.function(builder.type("", ""), kEnd).exported("handle", 0, 0);
  EXPECT_TRUE(check(builder.bytes(), GuestAbi::typed));
}

TEST(CheckImports, RefusesNamesThatAreNotOfferedAndSuggestsOne) {
  StreamModule stream;
  stream.builder.import_function("nur", "nur_sent", stream.pair);
  expect_refused(stream.bytes(1), GuestAbi::nur, ErrorKind::not_found,
                 "imports nur.nur_sent, which nur does not offer; did you mean nur.nur_send?");

  StreamModule far;
  far.builder.import_function("nur", "\x1b[2Jopen" + std::string(1'000'000, 'x'), far.pair);
  const Result<void> checked = check(far.bytes(1), GuestAbi::nur);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("imports nur.\\x1b[2Jopenxxx"));
  EXPECT_THAT(checked.error().message, HasSubstr("..., which nur does not offer"));
}

TEST(CheckImports, RefusesOtherTypes) {
  StreamModule stream;
  const int one = stream.builder.type({kI32}, "");
  stream.builder.import_function("nur", "nur_send", one);
  expect_refused(stream.bytes(1), GuestAbi::nur, ErrorKind::invalid_input,
                 "imports nur.nur_send as (i32) -> (), expected (i32, i32) -> ()");
}

TEST(CheckImports, RefusesUnknownModulesAndListsTheOffered) {
  StreamModule stream;
  stream.builder.import_function("host", "log", stream.pair);
  expect_refused(stream.bytes(1), GuestAbi::nur, ErrorKind::not_found,
                 "imports host.log; nur offers functions of the modules nur, env and "
                 "wasi_snapshot_preview1 only");
}

TEST(CheckImports, RefusesModulesOfAnotherAbi) {
  StreamModule stream;
  const int exit = stream.builder.type({kI32}, "");
  stream.builder.import_function("wasi_snapshot_preview1", "proc_exit", exit);
  expect_refused(stream.bytes(1), GuestAbi::nur, ErrorKind::not_found,
                 "imports wasi_snapshot_preview1.proc_exit, which the guest abi nur does not "
                 "offer; it offers functions of nur");

  ModuleBuilder builder;
  builder.import_function("nur", "nur_end", builder.type("", ""));
  expect_refused(command_module(builder, 1), GuestAbi::wasi, ErrorKind::not_found,
                 "imports nur.nur_end, which the guest abi wasi does not offer; it offers "
                 "functions of wasi_snapshot_preview1");
}

TEST(CheckImports, SaysToRebuildModulesOfOldWasi) {
  ModuleBuilder builder;
  builder.import_function("wasi_unstable", "fd_write", builder.type({kI32}, ""));
  expect_refused(command_module(builder, 1), GuestAbi::wasi, ErrorKind::not_found,
                 "imports wasi_unstable.fd_write: wasi_unstable is the preview before "
                 "wasi_snapshot_preview1; rebuild the module with a newer toolchain");
}

TEST(CheckImports, RefusesImportedGlobalsAndTables) {
  ModuleBuilder builder;
  builder.import("env", "x", raw({3, kI32, 0}));
  expect_refused(command_module(builder), GuestAbi::wasi, ErrorKind::not_found,
                 "imports global env.x; nur offers no importable globals");
}

TEST(CheckExports, NamesEveryMissingOne) {
  expect_refused(command_module(), GuestAbi::nur, ErrorKind::invalid_input,
                 "lacks exports that the guest abi nur needs: alloc (i32) -> i32, poll_stream "
                 "(i32, i32) -> ()");
  expect_refused(typed_module(), GuestAbi::wasi, ErrorKind::invalid_input,
                 "lacks exports that the guest abi wasi needs: memory, _start () -> ()");
  expect_refused(test::preamble(), GuestAbi::typed, ErrorKind::invalid_input,
                 "lacks exports that the guest abi typed needs: a function over i32, i64, f32 and "
                 "f64");
}

TEST(CheckExports, TakesOtherKindsOfTheNameForMissing) {
  ModuleBuilder builder;
  builder.memory(raw({0, 1})).exported("_start", 2, 0);
  builder.function(builder.type("", ""), kEnd).exported("memory", 0, 0);
  expect_refused(builder.bytes(), GuestAbi::wasi, ErrorKind::invalid_input,
                 "lacks exports that the guest abi wasi needs: memory, _start () -> ()");
}

TEST(CheckExports, RefusesOtherTypes) {
  ModuleBuilder builder;
  const int alloc = builder.type({kI64}, {kI32});
  const int poll = builder.type({kI32, kI32}, "");
  builder.memory(raw({0, 1})).function(alloc, kZero).function(poll, kEnd);
  builder.exported("memory", 2, 0).exported("alloc", 0, 0).exported("poll_stream", 0, 1);
  expect_refused(builder.bytes(), GuestAbi::nur, ErrorKind::invalid_input,
                 "exports alloc as (i64) -> i32, expected (i32) -> i32");
}

TEST(CheckExports, IgnoresWhatPollStreamReturns) {
  ModuleBuilder builder;
  const int alloc = builder.type({kI32}, {kI32});
  const int poll = builder.type({kI32, kI32}, {kI32});
  builder.memory(raw({0, 1})).function(alloc, kZero).function(poll, kZero);
  builder.exported("memory", 2, 0).exported("alloc", 0, 0).exported("poll_stream", 0, 1);
  EXPECT_TRUE(check(builder.bytes(), GuestAbi::nur));
}

}  // namespace
}  // namespace nur
