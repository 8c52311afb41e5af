// The pipeline as a whole: what it refuses, and what it leaves behind.
#include "compiler/compile.h"

#include <gtest/gtest.h>

#include "base/artefact_file.h"
#include "base/function_table.h"
#include "compiler/inspect.h"

namespace nur {
namespace {

class CompileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::create_directory(folder_.path() / "tmp"));
    ::setenv("TMPDIR", (folder_.path() / "tmp").c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("TMPDIR");
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "tmp")) << "scratch was left behind";
  }

  Result<Artefact> compile_wat(std::string_view text) {
    EXPECT_TRUE(write_file(folder_.path() / "module.wat", text));
    return compile_file("module.wat");
  }
  Result<Artefact> compile_file(const std::string& name, const BuildOptions& build = {}) {
    CompileOptions options;
    options.build = build;
    options.input = folder_.path() / name;
    options.output = folder_.path() / "module.so";
    options.nurc_version = "test";
    return compile(options, toolchain_, interrupt_);
  }
  std::string refusal_of(std::string_view text) {
    const Result<Artefact> artefact = compile_wat(text);
    EXPECT_FALSE(artefact);
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "module.so"));
    return artefact ? "" : artefact.error().message;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-compile-");
  Interrupt interrupt_ = *Interrupt::listen();
  Toolchain toolchain_ = *find_toolchain({}, interrupt_);
};

TEST_F(CompileTest, MakesAnArtefactThatInspectCanRead) {
  const Result<Artefact> artefact = compile_wat(R"((module
    (memory (export "memory") 1 9) (table 3 funcref)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))))");
  ASSERT_TRUE(artefact) << artefact.error().message;
  EXPECT_EQ(artefact->guest_abi, GuestAbi::typed);

  const Result<std::string> text = inspect(artefact->path, InspectFormat::text);

  ASSERT_TRUE(text) << text.error().message;
  EXPECT_NE(text->find("add (i32, i32) -> i32"), std::string::npos) << *text;
  EXPECT_NE(text->find("64KiB to start with, 576KiB at most"), std::string::npos) << *text;
  EXPECT_NE(text->find("3 entries of funcref"), std::string::npos) << *text;
}

TEST_F(CompileTest, PutsTheTableOfFunctionsWhereNothingLoadsIt) {
  ASSERT_TRUE(
      compile_wat("(module (func $f (export \"f\")) (func $g (export \"g\") unreachable))"));
  const std::string file = *read_file(folder_.path() / "module.so", kArtefactBytesMax);
  const std::string_view elf = *unseal(file);

  const auto table = FunctionTable::read(find_section(elf, kFunctionsSection));

  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->wasm_functions(), 2U);
  EXPECT_TRUE(find_section(elf, ".debug_frame").empty());
  EXPECT_TRUE(find_section(elf, ".eh_frame").empty());
  const Result<std::string> text = inspect(folder_.path() / "module.so", InspectFormat::text);
  EXPECT_NE(text->find("2 named in traps"), std::string::npos) << *text;
}

TEST_F(CompileTest, LeavesTheTableOfFunctionsOutWhenStripped) {
  BuildOptions strip;
  strip.strip = true;
  ASSERT_TRUE(write_file(folder_.path() / "module.wat", "(module (func $secret (export \"f\")))"));
  ASSERT_TRUE(compile_file("module.wat", strip));
  const std::string file = *read_file(folder_.path() / "module.so", kArtefactBytesMax);

  EXPECT_TRUE(find_section(*unseal(file), kFunctionsSection).empty());
  EXPECT_EQ(file.find("secret"), std::string::npos);
  EXPECT_NE(file.find("\"stripped\": true"), std::string::npos);
  const Result<std::string> text = inspect(folder_.path() / "module.so", InspectFormat::text);
  EXPECT_NE(text->find("not named in traps (--strip)"), std::string::npos) << *text;
}

TEST_F(CompileTest, MakesTheSameBytesOfTheSameModule) {
  constexpr std::string_view kModule = R"((module (memory 1) (data (i32.const 9) "data")
    (func $name (export "run") (result f64) (f64.sqrt (f64.const 2)))))";
  ASSERT_TRUE(compile_wat(kModule));
  const std::string first = *read_file(folder_.path() / "module.so", 1 << 20);
  ASSERT_TRUE(compile_wat(kModule));

  EXPECT_EQ(*read_file(folder_.path() / "module.so", 1 << 20), first);
}

TEST_F(CompileTest, RefusesAModuleThatFailsValidationByWasm2c) {
  // Ill-typed code is wasm2c's to find; binary, for wat2wasm would find it first.
  const std::string code = std::string("\0asm\1\0\0\0", 8) + std::string("\1\5\1\x60\0\1\x7f", 7) +
                           std::string("\3\2\1\0", 4) + std::string("\7\7\1\3run\0\0", 9) +
                           std::string("\n\4\1\2\0\x0b", 6);
  ASSERT_TRUE(write_file(folder_.path() / "module.wasm", code));

  const Result<Artefact> artefact = compile_file("module.wasm");

  ASSERT_FALSE(artefact);
  EXPECT_EQ(artefact.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(artefact.error().message.find("wasm2c failed"), std::string::npos)
      << artefact.error().message;
}

TEST_F(CompileTest, RefusesTextThatWat2wasmRefuses) {
  EXPECT_NE(refusal_of("(module (func (export \"run\") i32.add))").find("wat2wasm failed"),
            std::string::npos);
}

TEST_F(CompileTest, RefusesAnUnknownImportWithASuggestion) {
  const std::string message = refusal_of(R"((module
    (import "nur" "nur_sent" (func (param i32 i32))) (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 0))
    (func (export "poll_stream") (param i32 i32))))");

  EXPECT_NE(message.find("nur.nur_sent"), std::string::npos) << message;
  EXPECT_NE(message.find("did you mean nur.nur_send"), std::string::npos) << message;
}

TEST_F(CompileTest, RefusesAnImportOfAnotherType) {
  const std::string message = refusal_of(R"((module
    (import "nur" "nur_send" (func (param i32))) (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 0))
    (func (export "poll_stream") (param i32 i32))))");

  EXPECT_NE(message.find("expected (i32, i32) -> ()"), std::string::npos) << message;
}

TEST_F(CompileTest, RefusesAFileThatIsNotThere) {
  const Result<Artefact> artefact = compile_file("nowhere.wasm");

  ASSERT_FALSE(artefact);
  EXPECT_EQ(artefact.error().kind, ErrorKind::not_found);
}

TEST_F(CompileTest, KeepsTheOldArtefactWhenTheNewOneIsRefused) {
  ASSERT_TRUE(compile_wat("(module (func (export \"run\")))"));
  const std::string before = *read_file(folder_.path() / "module.so", 1 << 20);

  EXPECT_FALSE(compile_wat("(module (func (export \"run\") i32.add))"));

  EXPECT_EQ(*read_file(folder_.path() / "module.so", 1 << 20), before);
}

// SIMD, several results, references, passive segments: what the spec tests cover in depth compiles
// and links without anything undefined.
TEST_F(CompileTest, TakesAllOfWebAssembly2) {
  const Result<Artefact> artefact = compile_wat(R"((module
    (memory 1) (data $d "passive") (table $t 2 funcref) (table $e 2 externref)
    (global $v (mut v128) (v128.const i32x4 1 2 3 4))
    (type $f (func (result i32)))
    (func $one (result i32) (i32.const 1))
    (elem $p func $one)
    (func (export "simd") (result i32)
      (global.set $v (i32x4.add (global.get $v) (v128.load (i32.const 0))))
      (v128.store8_lane 3 (i32.const 64) (global.get $v))
      (i32x4.extract_lane 2 (f32x4.ceil (i8x16.swizzle (global.get $v) (global.get $v)))))
    (func (export "two") (param i64) (result i64 f32) (local.get 0) (f32.convert_i64_u (local.get 0)))
    (func (export "references") (param externref) (result externref funcref)
      (table.set $e (i32.const 0) (local.get 0))
      (table.get $e (i32.const 0)) (ref.func $one))
    (func (export "vector") (param v128) (result v128) (i8x16.neg (local.get 0)))
    (func (export "bulk") (result i32)
      (memory.init $d (i32.const 0) (i32.const 0) (i32.const 7)) (data.drop $d)
      (table.init $t $p (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $p)
      (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 1))
      (table.fill $e (i32.const 0) (ref.null extern) (i32.const 2))
      (call_indirect $t (type $f) (i32.const 1)))
    (func (export "floats") (param f64) (result f64)
      (f64.nearest (f64.floor (f64.ceil (f64.trunc (f64.copysign (f64.min (f64.max (f64.abs
        (f64.neg (f64.sqrt (local.get 0)))) (f64.const 1)) (f64.const 9)) (f64.const -1)))))))
    (func (export "saturate") (param f32) (result i64) (i64.trunc_sat_f32_u (local.get 0)))))");

  EXPECT_TRUE(artefact) << artefact.error().message;
}

}  // namespace
}  // namespace nur
