#include "compiler/generated_c.h"

#include <gtest/gtest.h>

#include "compiler/compile.h"

namespace nur {
namespace {

constexpr std::string_view kSmallestModule("\0asm\1\0\0\0", 8);

// A function over no values that drops a vector; one that takes and returns a vector. wasm2c
// includes simde's header in m-impl.h for the one, in m.h for the other.
constexpr std::string_view kVectorInside(
    "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\n\x17\1\x15\0\xfd\x0c"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1a\x0b",
    43);
constexpr std::string_view kVectorOutside(
    "\0asm\1\0\0\0\1\6\1\x60\1\x7b\1\x7b\3\2\1\0\7\5\1\1e\0\0\n\6\1\4\0\x20\0\x0b", 35);

// What wasm2c makes of a module: the header, whose fixed part the edits look for, or another file.
std::string generated_c(std::string_view module = kSmallestModule, const char* file = "m-impl.h") {
  const Interrupt interrupt = *Interrupt::listen();
  const Result<Toolchain> toolchain = find_toolchain({}, interrupt);
  if (!toolchain) {
    ADD_FAILURE() << toolchain.error().message;
    return "";
  }
  const ScratchDir folder = *ScratchDir::create("nur-translate-");
  EXPECT_TRUE(write_file(folder.path() / "m.wasm", module));
  Command command;
  command.arguments = {toolchain->wasm2c.path.string(), "--module-name=m", "--num-outputs=2",
                       "--output=m.c", "m.wasm"};
  command.folder = folder.path();
  EXPECT_TRUE(run_process(command, interrupt));
  return *read_file(folder.path() / file, 10 << 20);
}

TEST(AdaptGeneratedC, PutsOurMemoryBeforeTheFirstLoad) {
  const Result<std::string> adapted = adapt_generated_c(generated_c());

  ASSERT_TRUE(adapted) << adapted.error().message;
  EXPECT_LT(adapted->find("#include \"nur_memory.h\""), adapted->find("DEFINE_LOAD(i32_load"));
  EXPECT_NE(adapted->find("nur_memory_fill(mem, d, val, n);"), std::string::npos);
  EXPECT_EQ(adapted->find("memset(MEM_ADDR"), std::string::npos);
}

TEST(AdaptGeneratedC, PutsOurVectorOperationsBehindThoseOfSimde) {
  EXPECT_EQ(adapt_generated_c(generated_c())->find("nur_simd.h"), std::string::npos);
  for (const std::string_view module : {kVectorInside, kVectorOutside}) {
    const Result<std::string> adapted = adapt_generated_c(generated_c(module));

    ASSERT_TRUE(adapted) << adapted.error().message;
    const std::size_t ours = adapted->find("#include \"nur_simd.h\"");
    ASSERT_NE(ours, std::string::npos);
    const std::size_t theirs = adapted->find("#include <simde/wasm/simd128.h>");
    EXPECT_EQ(theirs == std::string::npos, module == kVectorOutside);
    EXPECT_TRUE(theirs == std::string::npos || theirs < ours);
  }
}

TEST(AdaptGeneratedHeader, DeclaresVectorsWhereWasm2cDidNot) {
  constexpr std::string_view kFixed = "/* */\n#include \"wasm-rt.h\"\n\n#include <stdint.h>\n";
  const std::string declared =
      std::string(kFixed) + "#include <simde/wasm/simd128.h>\nstruct a {\n  v128 o0;\n};\n";
  const std::string undeclared = std::string(kFixed) + "struct a {\n  v128 o0;\n};\n";

  EXPECT_EQ(*adapt_generated_header(std::string(kFixed)), kFixed);
  EXPECT_EQ(*adapt_generated_header(declared), declared);
  const Result<std::string> adapted = adapt_generated_header(undeclared);
  ASSERT_TRUE(adapted);
  EXPECT_LT(adapted->find("typedef simde_v128_t v128;"), adapted->find("  v128 o0;"));
  EXPECT_FALSE(adapt_generated_header("struct a {\n  v128 o0;\n};\n"));
}

TEST(AdaptGeneratedC, RefusesTextThatItDoesNotKnow) {
  const Result<std::string> adapted = adapt_generated_c("int main(void) { return 0; }\n");

  ASSERT_FALSE(adapted);
  EXPECT_EQ(adapted.error().kind, ErrorKind::internal);
  EXPECT_NE(adapted.error().message.find("DEFINE_LOAD(i32_load"), std::string::npos);
}

TEST(AdaptGeneratedC, RefusesAPassageThatIsThereTwice) {
  const std::string text = generated_c();

  EXPECT_FALSE(adapt_generated_c(text + text));
}

TEST(AdaptGeneratedC, RefusesAPassageThatHasChanged) {
  std::string text = generated_c();
  const std::size_t at = text.find("memset(MEM_ADDR(mem, d, n), val, n);");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 6, "memzap");

  EXPECT_FALSE(adapt_generated_c(text));
}

TEST(AdaptGeneratedC, LeavesTextsOfFunctionTypesUnderOtherNames) {
  const Result<std::string> adapted = adapt_generated_c(generated_c());

  ASSERT_TRUE(adapted) << adapted.error().message;
  EXPECT_NE(adapted->find("#include \"nur_calls.h\""), std::string::npos);
  EXPECT_EQ(adapted->find("const char* const x\n"), std::string::npos);
}

// () -> (), (i32) -> (), and () -> () again.
constexpr std::string_view kThreeTypes("\0asm\1\0\0\0\1\x0b\3\x60\0\0\x60\1\x7f\0\x60\0\0", 21);

TEST(FunctionTypeNumbers, NumberEachTypeFromOne) {
  const Result<std::string> numbers = function_type_numbers(generated_c(kThreeTypes, "m_0.c"));

  ASSERT_TRUE(numbers) << numbers.error().message;
  EXPECT_NE(numbers->find("number_of_w2c_m_t0 = 1 "), std::string::npos) << *numbers;
  EXPECT_NE(numbers->find("number_of_w2c_m_t1 = 2 "), std::string::npos) << *numbers;
}

std::string definition(std::string_view kind, std::string_view name, char byte) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += fmt::format("\\x{0}{0}", byte);
  return fmt::format("\n{}({}) = \"{}\";\n", kind, name, text);
}

TEST(FunctionTypeNumbers, GiveEqualTypesOneNumber) {
  for (const std::string_view kind : {"FUNC_TYPE_T", "FUNC_TYPE_EXTERN_T"}) {
    EXPECT_EQ(function_type_numbers(definition(kind, "w2c_m_t0", 'a') +
                                    definition(kind, "w2c_m_t2", 'b') +
                                    definition(kind, "w2c_m_t7", 'a')),
              "enum { number_of_w2c_m_t0 = 1 };\n"
              "#define w2c_m_t0 NUR_FUNCTION_TYPE(number_of_w2c_m_t0)\n"
              "enum { number_of_w2c_m_t2 = 2 };\n"
              "#define w2c_m_t2 NUR_FUNCTION_TYPE(number_of_w2c_m_t2)\n"
              "enum { number_of_w2c_m_t7 = 1 };\n"
              "#define w2c_m_t7 NUR_FUNCTION_TYPE(number_of_w2c_m_t7)\n");
  }
}

TEST(FunctionTypeNumbers, RefuseADefinitionThatIsNotAsKnown) {
  std::string text = definition("FUNC_TYPE_T", "w2c_m_t0", 'a');
  ASSERT_TRUE(function_type_numbers(text));
  for (const std::string& other :
       {definition("FUNC_TYPE_T", "w2c_m_x", 'a'), definition("FUNC_TYPE_T", "w2c_other_t0", 'a'),
        std::string("\nFUNC_TYPE_T(w2c_m_t0) = \"\\x00\";\n"), text.substr(0, text.size() - 4),
        text.insert(text.size() - 3, "\\x00")}) {
    const Result<std::string> numbers = function_type_numbers(other);

    ASSERT_FALSE(numbers) << other;
    EXPECT_EQ(numbers.error().kind, ErrorKind::internal);
  }
}

TEST(TypeLookup, IsCutOut) {
  const std::string text =
      "int a;\n\nwasm_rt_func_type_t wasm2c_m_get_func_type(uint32_t param_count, uint32_t "
      "result_count, ...) {\n  va_list args;\n    return w2c_m_t0;\n  return NULL;\n}\nint b;\n";

  EXPECT_EQ(adapt_generated_source(text).value_or(""), "int a;\nint b;\n");
  EXPECT_EQ(adapt_generated_source("int a;\n").value_or(""), "int a;\n");
}

TEST(TypeLookup, IsRefusedWithoutAnEnd) {
  const auto cut = adapt_generated_source(
      "\nwasm_rt_func_type_t wasm2c_m_get_func_type(uint32_t param_count, uint32_t result_count, "
      "...) {\n  return 0;\n}\n");

  ASSERT_FALSE(cut);
  EXPECT_NE(cut.error().message.find("get_func_type has no end"), std::string::npos);
}

TEST(Imports, AreHandedTheAddressOfTheInstance) {
  const auto header = adapt_generated_header(
      "\nstruct w2c_h;\n\ntypedef struct w2c_m {\n  struct w2c_h* w2c_h_instance;\n  u32 "
      "w2c_g0;\n");
  const auto source = adapt_generated_source(
      "\nstatic void init_instance_import(w2c_m* instance, struct w2c_h* w2c_h_instance) {\n"
      "  instance->w2c_h_instance = w2c_h_instance;\n}\n");

  ASSERT_TRUE(header && source);
  EXPECT_NE(header->find("} w2c_h_instance[1];"), std::string::npos) << *header;
  EXPECT_EQ(source->find("instance->w2c_h_instance"), std::string::npos) << *source;
}

TEST(Imports, AreRefusedWhenTheInstanceHoldsThemOtherwise) {
  EXPECT_FALSE(adapt_generated_header("\nstruct w2c_h;\n\ntypedef struct w2c_m {\n"));
  EXPECT_FALSE(adapt_generated_source("\nstatic void init_instance_import(w2c_m* instance) {\n"));
}

}  // namespace
}  // namespace nur
