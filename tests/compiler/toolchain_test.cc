#include "compiler/toolchain.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(Version, IsComparedNumberByNumber) {
  EXPECT_TRUE(version_at_least("1.0.36", "1.0.36"));
  EXPECT_TRUE(version_at_least("1.0.39", "1.0.36"));
  EXPECT_TRUE(version_at_least("1.1", "1.0.36"));
  EXPECT_TRUE(version_at_least("2.0.0", "1.0.36"));
  EXPECT_TRUE(version_at_least("1.0.100", "1.0.36"));
  EXPECT_FALSE(version_at_least("1.0.32", "1.0.36"));
  EXPECT_FALSE(version_at_least("1.0.4", "1.0.36"));
  EXPECT_FALSE(version_at_least("1.0", "1.0.36"));
  EXPECT_FALSE(version_at_least("", "1.0.36"));
  EXPECT_FALSE(version_at_least("unknown", "1.0.36"));
}

class ToolchainTest : public ::testing::Test {
 protected:
  Path fake_tool(const std::string& script) {
    const Path path = folder_.path() / "tool";
    EXPECT_TRUE(write_file(path, "#!/bin/sh\n" + script + "\n"));
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-toolchain-");
  Interrupt interrupt_ = *Interrupt::listen();
};

TEST_F(ToolchainTest, RefusesAWasm2cThatLetsNamesInjectC) {
  ToolchainOptions options;
  options.wasm2c = fake_tool("echo 1.0.32").string();

  const auto toolchain = find_toolchain(options, interrupt_);

  ASSERT_FALSE(toolchain);
  EXPECT_EQ(toolchain.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(toolchain.error().message.find("is version 1.0.32; nurc needs 1.0.36"),
            std::string::npos);
}

TEST_F(ToolchainTest, RefusesAWasm2cThatIsNotThere) {
  ToolchainOptions options;
  options.wasm2c = "/nonexistent/wasm2c";

  const auto toolchain = find_toolchain(options, interrupt_);

  ASSERT_FALSE(toolchain);
  EXPECT_EQ(toolchain.error().kind, ErrorKind::not_found);
}

TEST_F(ToolchainTest, RefusesACompilerThatIsNotThere) {
  ToolchainOptions options;
  options.compiler = "no-such-compiler";

  const auto toolchain = find_toolchain(options, interrupt_);

  ASSERT_FALSE(toolchain);
  EXPECT_NE(toolchain.error().message.find("no-such-compiler not found"), std::string::npos);
}

TEST_F(ToolchainTest, FindsAllToolsAndTheirVersions) {
  const auto toolchain = find_toolchain({}, interrupt_);

  ASSERT_TRUE(toolchain) << toolchain.error().message;
  EXPECT_TRUE(version_at_least(toolchain->wasm2c.version, kWasm2cOldest));
  EXPECT_NE(toolchain->compiler.version.find("g++"), std::string::npos);
}

}  // namespace
}  // namespace nur
