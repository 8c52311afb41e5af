#include "compiler/translate.h"

#include <gtest/gtest.h>

#include "compiler/compile.h"

namespace nur {
namespace {

// What wasm2c makes of the smallest module: the fixed part that the edits look for.
std::string generated_c() {
  const Interrupt interrupt = *Interrupt::listen();
  const Toolchain toolchain = *find_toolchain({}, interrupt);
  const ScratchDir folder = *ScratchDir::create("nur-translate-");
  EXPECT_TRUE(write_file(folder.path() / "m.wasm", std::string("\0asm\1\0\0\0", 8)));
  Command command;
  command.arguments = {toolchain.wasm2c.path.string(), "--module-name=m", "--output=m.c", "m.wasm"};
  command.folder = folder.path();
  EXPECT_TRUE(run_process(command, interrupt));
  return *read_file(folder.path() / "m.c", 10 << 20);
}

TEST(AdaptGeneratedC, PutsOurMemoryBeforeTheFirstLoad) {
  const Result<std::string> adapted = adapt_generated_c(generated_c());

  ASSERT_TRUE(adapted) << adapted.error().message;
  EXPECT_LT(adapted->find("#include \"nur_memory.h\""), adapted->find("DEFINE_LOAD(i32_load"));
  EXPECT_NE(adapted->find("nur_memory_fill(mem, d, val, n);"), std::string::npos);
  EXPECT_EQ(adapted->find("memset(MEM_ADDR"), std::string::npos);
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

}  // namespace
}  // namespace nur
