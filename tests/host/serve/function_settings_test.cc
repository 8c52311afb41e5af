#include "host/serve/function_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nur {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FunctionSettings, GiveAProcessItsNameAndNothingElse) {
  const WasiOptions options = process_options("f", {});
  EXPECT_THAT(options.arguments, ElementsAre("f"));
  EXPECT_THAT(options.environment, IsEmpty());
  EXPECT_THAT(options.preopens, IsEmpty());
}
TEST(FunctionSettings, GoBeforeWhatARequestSays) {
  FunctionSettings settings;
  settings.arguments = {"--verbose", "two words"};
  settings.environment = {{"A", "mine=1"}, {"HTTP_X", ""}};
  const WasiOptions options =
      process_options("f", settings, {"A=theirs", "AA=theirs", "HTTP_X=theirs"});
  EXPECT_THAT(options.arguments, ElementsAre("f", "--verbose", "two words"));
  EXPECT_THAT(options.environment, ElementsAre("AA=theirs", "A=mine=1", "HTTP_X="));
}
TEST(FunctionSettings, GiveTheQueryAsArgumentsWhereTheySaySo) {
  FunctionSettings settings;
  EXPECT_THAT(process_options("f", settings, {}, "-s").arguments, ElementsAre("f"));
  settings.arguments = {"first", "${ARGS}", "${ARGS}s"};
  EXPECT_THAT(process_options("f", settings, {}, "greet=matt&&foo=b%20r&x+y&").arguments,
              ElementsAre("f", "first", "greet=matt", "foo=b%20r", "x+y", "${ARGS}s"));
  EXPECT_THAT(process_options("f", settings, {}, "one").arguments,
              ElementsAre("f", "first", "one", "${ARGS}s"));
  EXPECT_THAT(process_options("f", settings).arguments, ElementsAre("f", "first", "${ARGS}s"));
}
TEST(FunctionSettings, OpenTheirDirectoriesOnce) {
  const ScratchDir folder = *ScratchDir::create("nur-settings-");
  FunctionSettings settings;
  settings.directories = {{folder.path(), "/data", true}, {folder.path(), "/again"}};
  ASSERT_TRUE(open_directories(settings));
  ASSERT_TRUE(open_directories(settings));
  ASSERT_EQ(settings.preopens.size(), 2U);
  EXPECT_EQ(settings.preopens[0].guest_path, "/data");
  EXPECT_TRUE(settings.preopens[0].writable);
  EXPECT_FALSE(settings.preopens[1].writable);
  EXPECT_EQ(process_options("f", settings).preopens.size(), 2U);
}
TEST(FunctionSettings, RefuseADirectoryThatIsNotThere) {
  FunctionSettings settings;
  settings.directories = {{"/nowhere/at/all", "/data"}};
  const Result<void> opened = open_directories(settings);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace nur
