#include <set>

#include <gtest/gtest.h>

#include "compiler/limits.h"

namespace nur {
namespace {

TEST(NamedLimits, SayWhatHolds) {
  ModuleLimits module;
  module.tables = 7;
  ProcessLimits tool;
  tool.wall = Milliseconds(3000);

  std::set<std::string_view> names;
  std::uint64_t tables = 0;
  std::uint64_t wall = 0;
  for (const NamedLimit& limit : named_limits(module, tool)) {
    EXPECT_TRUE(names.insert(limit.name).second) << limit.name;
    if (limit.name == "tables") tables = limit.value;
    if (limit.name == "tool_wall_seconds") wall = limit.value;
  }

  EXPECT_EQ(tables, 7u);
  EXPECT_EQ(wall, 3u);
}

TEST(NamedLimits, AreOneLineEach) {
  const std::string text = limits_text();
  for (const NamedLimit& limit : named_limits()) {
    EXPECT_NE(text.find(fmt::format("\n  {} ", limit.name)), std::string::npos) << limit.name;
  }
  EXPECT_NE(text.find("module_bytes                64MiB  of a module\n"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace nur
