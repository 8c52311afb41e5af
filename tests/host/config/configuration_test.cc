#include "host/config/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nur {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigurationTest : public ::testing::Test {
 protected:
  void put(const Path& file, std::string_view text = "") {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    ASSERT_TRUE(write_file(folder_.path() / file, text));
  }
  Result<Configuration> read(const std::vector<Path>& names) {
    std::vector<Path> paths;
    for (const Path& name : names) paths.push_back(folder_.path() / name);
    return read_configuration(paths, {}, {});
  }
  std::string refusal(const std::vector<Path>& names) {
    const Result<Configuration> said = read(names);
    EXPECT_FALSE(said);
    return said ? "" : said.error().message;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-config-");
};

constexpr std::string_view kSection = "[function.cart]\nlimits = { queue = 5 }\n";

TEST_F(ConfigurationTest, ReadsTheFileInAFolder) {
  put("f/cart.so");
  put("f/nur.toml", kSection);
  const Result<Configuration> said = read({"f"});
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(said->paths, ElementsAre(folder_.path() / "f"));
  ASSERT_TRUE(said->functions.contains("cart"));
  EXPECT_EQ(said->functions.at("cart").limits.waiting_max, 5U);
}
TEST_F(ConfigurationTest, TakesAFileForItsFolder) {
  put("f/cart.so");
  put("f/other.toml", kSection);
  const Result<Configuration> said = read({"f/other.toml"});
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(said->paths, ElementsAre(folder_.path() / "f"));
  EXPECT_TRUE(said->functions.contains("cart"));
}
TEST_F(ConfigurationTest, ReadsTheFileBesideAnArtefact) {
  put("f/cart.so");
  put("f/nur.toml", kSection);
  const Result<Configuration> said = read({"f/cart.so"});
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(said->paths, ElementsAre(folder_.path() / "f/cart.so"));
  EXPECT_TRUE(said->functions.contains("cart"));
}
TEST_F(ConfigurationTest, ReadsAFileOnceHoweverOftenItIsNamed) {
  put("f/cart.so");
  put("f/nur.toml", kSection);
  const Result<Configuration> said = read({"f", "f/nur.toml", "f/cart.so"});
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(said->paths, ElementsAre(folder_.path() / "f", folder_.path() / "f/cart.so"));
}
TEST_F(ConfigurationTest, NeedsNoFile) {
  put("f/cart.so");
  const Result<Configuration> said = read({"f"});
  ASSERT_TRUE(said);
  EXPECT_TRUE(said->functions.empty());
}
TEST_F(ConfigurationTest, RefusesASectionWithoutAnArtefact) {
  put("f/cart.so");
  put("f/nur.toml", "\n[function.card]\n");
  EXPECT_THAT(refusal({"f"}), HasSubstr("f/nur.toml:2:11: there is no card.so beside this file; "
                                        "did you mean `cart`?"));
}
TEST_F(ConfigurationTest, RefusesASectionLikeNoArtefact) {
  put("f/cart.so");
  put("f/nur.toml", "[function.mail]\n");
  EXPECT_THAT(refusal({"f"}), HasSubstr("put it there, or take the section out"));
}
TEST_F(ConfigurationTest, RefusesTwoSectionsForOneFunction) {
  for (const char* const folder : {"f", "g"}) {
    put(Path(folder) / "cart.so");
    put(Path(folder) / "nur.toml", kSection);
  }
  EXPECT_THAT(refusal({"f", "g"}),
              HasSubstr("g/nur.toml:1:11: another file has a section for `cart` already"));
}
TEST_F(ConfigurationTest, RefusesTwoTablesForNebula) {
  put("f/nur.toml", "[nebula]\n");
  put("g/nur.toml", "[nebula]\n");
  EXPECT_THAT(refusal({"f", "g"}), HasSubstr("g/nur.toml: another file has a [nebula] already"));
}
TEST_F(ConfigurationTest, RefusesAFileThatIsNotThere) {
  EXPECT_THAT(refusal({"nur.toml"}), HasSubstr("No such file"));
}
TEST_F(ConfigurationTest, RefusesAFileWithMistakes) {
  put("f/nur.toml", "function = 1\n");
  EXPECT_THAT(refusal({"f"}), HasSubstr("f/nur.toml:1:12: `function` is a table"));
}

}  // namespace
}  // namespace nur
