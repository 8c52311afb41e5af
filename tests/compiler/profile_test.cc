#include "compiler/profile.h"

#include <limits>

#include <gtest/gtest.h>

namespace nur {
namespace {

class ProfileTest : public ::testing::Test {
 protected:
  static ProfileTable table() {
    ProfileTable table;
    table.region = {0, 16};
    table.wasm_sha256 = "this module";
    table.compiler = "this compiler";
    table.flags = "-O2";
    table.units = {{"m0.c", sha256("text"), 1, 2, {{1, 2, 3, 2, 0}}}};
    return table;
  }
  Path file_of(const std::string& name, const ProfileTable& table,
               const std::vector<std::uint64_t>& counters) {
    const std::string_view bytes(reinterpret_cast<const char*>(counters.data()),
                                 counters.size() * 8);
    const Path path = folder_.path() / name;
    EXPECT_TRUE(write_file(path, encode_profile(encode_profile_table(table), bytes)));
    return path;
  }
  std::string refusal_of(const std::vector<Path>& files) {
    const Result<Profile> profile = read_profiles(files, {"this module", "this compiler", "-O2"});
    if (profile) return "";
    EXPECT_EQ(profile.error().kind, ErrorKind::invalid_input);
    return profile.error().message;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-profile-");
};

TEST_F(ProfileTest, AddsUpCounts) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const Result<Profile> profile =
      read_profiles({file_of("a", table(), {1, kMost - 1}), file_of("b", table(), {41, 2})},
                    {"this module", "this compiler", "-O2"});

  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->counters, (std::vector<std::uint64_t>{42, kMost}));
}

TEST_F(ProfileTest, RefusesThatOfAnotherModule) {
  ProfileTable other = table();
  other.wasm_sha256 = "that module";
  EXPECT_NE(refusal_of({file_of("a", other, {1, 2})}).find("another module"), std::string::npos);
}

TEST_F(ProfileTest, RefusesThatOfAnotherCompiler) {
  ProfileTable other = table();
  other.compiler = "that compiler";
  EXPECT_NE(refusal_of({file_of("a", other, {1, 2})}).find("another compiler"), std::string::npos);
}

TEST_F(ProfileTest, RefusesThatOfOtherOptions) {
  ProfileTable other = table();
  other.flags = "-O3";
  EXPECT_NE(refusal_of({file_of("a", other, {1, 2})}).find("other options"), std::string::npos);
}

TEST_F(ProfileTest, RefusesTwoOfDifferentNurc) {
  ProfileTable other = table();
  other.units[0].digest = sha256("another text");
  EXPECT_NE(refusal_of({file_of("a", table(), {1, 2}), file_of("b", other, {1, 2})})
                .find("made by another nurc than"),
            std::string::npos);
}

TEST_F(ProfileTest, RefusesOneThatIsNotThere) {
  const Result<Profile> profile = read_profiles({folder_.path() / "none"}, {});
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().kind, ErrorKind::not_found);
}

TEST_F(ProfileTest, IsNotUsedForUnitsOfAnotherNurc) {
  ASSERT_TRUE(write_file(folder_.path() / "m0.c", "another text"));
  const Result<Profile> profile =
      read_profiles({file_of("a", table(), {1, 2})}, {"this module", "this compiler", "-O2"});
  ASSERT_TRUE(profile);
  CSources sources;
  sources.folder = folder_.path();
  sources.units = {{"m0.c", 4, Effort::full}};

  const Result<void> written = write_gcda_files(*profile, sources);

  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("made with another nurc"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "m0.gcda"));
  ASSERT_TRUE(write_file(folder_.path() / "m0.c", "text"));
  EXPECT_TRUE(write_gcda_files(*profile, sources));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "m0.gcda"));
}

}  // namespace
}  // namespace nur
