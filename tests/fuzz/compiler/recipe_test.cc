#include "tests/fuzz/compiler/recipe.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace nur::fuzz {
namespace {

TEST(Recipe, IsDecidedBySeedAndNumber) {
  for (std::uint64_t number = 0; number < 100; ++number) {
    EXPECT_EQ(to_string(make_recipe(3, number, CpuLevel::v3)),
              to_string(make_recipe(3, number, CpuLevel::v3)));
  }
  EXPECT_NE(make_recipe(3, 4, CpuLevel::v3).stream(1).next(),
            make_recipe(3, 5, CpuLevel::v3).stream(1).next());
  EXPECT_NE(make_recipe(3, 4, CpuLevel::v3).stream(1).next(),
            make_recipe(4, 4, CpuLevel::v3).stream(1).next());
  EXPECT_NE(make_recipe(3, 4, CpuLevel::v3).stream(1).next(),
            make_recipe(3, 4, CpuLevel::v3).stream(2).next());
}

TEST(Recipe, TriesEveryLevelAndMostlyTheDefault) {
  std::map<int, int> levels;
  std::set<CpuLevel> cpus;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const Recipe recipe = make_recipe(1, number, CpuLevel::v4);
    ++levels[recipe.build.optimisation];
    cpus.insert(recipe.build.target_cpu);
  }

  EXPECT_EQ(levels.size(), 4U);
  EXPECT_GT(levels[2], 500);
  EXPECT_EQ(cpus, (std::set{CpuLevel::v2, CpuLevel::v3, CpuLevel::v4}));
}

TEST(Recipe, AsksForNothingThatThisMachineHasNot) {
  for (std::uint64_t number = 0; number < 200; ++number) {
    EXPECT_EQ(make_recipe(1, number, CpuLevel::v2).build.target_cpu, CpuLevel::v2);
  }
}

TEST(Recipe, TakesHalfOfTheModulesFromACorpus) {
  const std::vector<Path> corpus{"a.wasm", "b.wasm"};
  std::map<Path, int> files;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    Recipe recipe = make_recipe(1, number, CpuLevel::v2);
    const BuildOptions build = recipe.build;
    choose_from_corpus(recipe, corpus);
    ++files[recipe.initial_file];
    // Seed and number alone must say how a kept module is compiled.
    EXPECT_EQ(recipe.build.optimisation, build.optimisation);
  }

  EXPECT_GT(files[""], 400);
  EXPECT_GT(files["a.wasm"], 150);
  EXPECT_GT(files["b.wasm"], 150);
}

TEST(Recipe, RefusesACorpusWithoutModules) {
  const ScratchDir folder = *ScratchDir::create("nur-fuzz-test-");

  EXPECT_FALSE(read_corpus(folder.path()));
  EXPECT_FALSE(read_corpus(folder.path() / "none"));
  ASSERT_TRUE(write_file(folder.path() / "b.wasm", ""));
  ASSERT_TRUE(write_file(folder.path() / "a.wasm", ""));
  EXPECT_EQ(read_corpus(folder.path())->front(), folder.path() / "a.wasm");
}

}  // namespace
}  // namespace nur::fuzz
