#include "host/config/nur_toml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/outbound/outbound_policy.h"

namespace nur {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

class NurTomlTest : public ::testing::Test {
 protected:
  Result<NurToml> read(std::string_view text) {
    const TomlFile file = NUR_TRY(TomlFile::parse(text, folder_.path() / "nur.toml"));
    return read_nur_toml(file, defaults_, given_);
  }
  // Settings of the only function.
  FunctionSettings only(std::string_view text) {
    Result<NurToml> said = read(text);
    EXPECT_TRUE(said) << (said ? "" : said.error().message);
    if (!said) return {};
    EXPECT_EQ(said->functions.size(), 1U);
    return said->functions.front().settings;
  }
  NebulaSettings nebula(std::string_view text) {
    Result<NurToml> said = read(text);
    EXPECT_TRUE(said && said->nebula) << (said ? "" : said.error().message);
    return said && said->nebula ? *said->nebula : NebulaSettings{};
  }
  // What is said of a text that is refused, without the folder in front.
  std::string refusal(std::string_view text) {
    const Result<NurToml> said = read(text);
    EXPECT_FALSE(said);
    if (said) return "";
    EXPECT_EQ(said.error().kind, ErrorKind::invalid_input);
    const std::string folder = folder_.path().string() + "/";
    EXPECT_TRUE(said.error().message.starts_with(folder)) << said.error().message;
    return said.error().message.substr(folder.size());
  }

  ScratchDir folder_ = *ScratchDir::create("nur-config-");
  FunctionSettings defaults_;
  GivenSettings given_;
};

TEST_F(NurTomlTest, ReadsEveryKeyOfAFunction) {
  std::filesystem::create_directory(folder_.path() / "assets");
  const FunctionSettings settings = only(R"(
manifest_version = 1
[function.cart]
environment = { LOG_LEVEL = "info", "/env/backend" = "127.0.0.1:8181" }
args = ["--verbose", ""]
limits = { memory = "64MiB", timeout = "2s", cpu = "200ms", stack = "256KiB", body = "2MiB", concurrency = 32, queue = 64, kv = "3MiB" }
files = [{ source = "assets", target = "/", mode = "rw" }, { source = "assets", target = "/ro" }]
allow_outbound = ["https://api.example.test", "10.0.0.1:5432"]
)");

  EXPECT_THAT(settings.environment,
              ElementsAre(Pair("/env/backend", "127.0.0.1:8181"), Pair("LOG_LEVEL", "info")));
  EXPECT_THAT(settings.arguments, ElementsAre("--verbose", ""));
  EXPECT_EQ(settings.limits.sandbox.memory_bytes_max, 64U << 20);
  EXPECT_EQ(settings.limits.time.timeout, std::chrono::seconds(2));
  EXPECT_EQ(settings.limits.time.cpu_time, Milliseconds(200));
  EXPECT_EQ(settings.limits.sandbox.stack_bytes, 256U << 10);
  EXPECT_EQ(settings.limits.body_bytes_max, 2U << 20);
  EXPECT_EQ(settings.limits.kv_bytes_max, 3U << 20);
  EXPECT_EQ(settings.limits.pool.leased_max, 32U);
  EXPECT_EQ(settings.limits.pool.idle_max, 32U);
  EXPECT_EQ(settings.limits.waiting_max, 64U);
  EXPECT_THAT(settings.directories,
              ElementsAre(DirectoryGrant{folder_.path() / "assets", "/", true},
                          DirectoryGrant{folder_.path() / "assets", "/ro", false}));
  EXPECT_THAT(settings.outbound, ElementsAre("https://api.example.test", "10.0.0.1:5432"));
}

TEST_F(NurTomlTest, LeavesWhatIsNotSaidAsItIsByDefault) {
  defaults_.limits.time.timeout = std::chrono::seconds(7);
  const FunctionSettings settings = only("[function.a]\n");
  const FunctionLimits standard;
  EXPECT_EQ(settings.limits.time.timeout, std::chrono::seconds(7));
  EXPECT_EQ(settings.limits.sandbox.memory_bytes_max, standard.sandbox.memory_bytes_max);
  EXPECT_EQ(settings.limits.pool.leased_max, standard.pool.leased_max);
  EXPECT_TRUE(settings.environment.empty());
  EXPECT_TRUE(settings.arguments.empty());
  EXPECT_TRUE(settings.directories.empty());
  EXPECT_TRUE(settings.outbound.empty());
}

TEST_F(NurTomlTest, TakesQuotedNamesAndSectionsOfTheirOwn) {
  const Result<NurToml> said = read(
      "[function.\"a b.c\"]\nargs = []\n[function.d.limits]\nqueue = 0\n"
      "[function.d.environment]\nX = \"1\"\n");
  ASSERT_TRUE(said) << said.error().message;
  ASSERT_EQ(said->functions.size(), 2U);
  EXPECT_EQ(said->functions[0].function, "a b.c");
  EXPECT_EQ(said->functions[1].settings.limits.waiting_max, 0U);
  EXPECT_THAT(said->functions[1].settings.environment, ElementsAre(Pair("X", "1")));
}

TEST_F(NurTomlTest, LeavesWhatTheCommandLineSaid) {
  std::filesystem::create_directory(folder_.path() / "d");
  given_ = {.timeout = true, .cpu_time = true, .memory = true, .body = true, .kv = true};
  defaults_.limits.time = {.timeout = std::chrono::seconds(1), .cpu_time = Milliseconds(30)};
  defaults_.limits.sandbox.memory_bytes_max = 1 << 20;
  defaults_.limits.body_bytes_max = 10;
  defaults_.environment = {{"A", "flag"}};
  defaults_.directories = {{"/flag", "/data", false}};

  const FunctionSettings settings = only(R"(
[function.a]
limits = { timeout = "9s", cpu = "9s", memory = "9MiB", body = "9KiB", queue = 3, kv = "9MiB" }
environment = { A = "file", B = "file" }
files = [{ source = "d", target = "/data", mode = "rw" }, { source = "d", target = "/more" }]
)");

  EXPECT_EQ(settings.limits.time.timeout, std::chrono::seconds(1));
  EXPECT_EQ(settings.limits.time.cpu_time, Milliseconds(30));
  EXPECT_EQ(settings.limits.sandbox.memory_bytes_max, 1U << 20);
  EXPECT_EQ(settings.limits.body_bytes_max, 10U);
  EXPECT_EQ(settings.limits.kv_bytes_max, std::nullopt);
  EXPECT_EQ(settings.limits.waiting_max, 3U);
  EXPECT_THAT(settings.environment, ElementsAre(Pair("A", "flag"), Pair("B", "file")));
  EXPECT_THAT(settings.directories, ElementsAre(DirectoryGrant{"/flag", "/data", false},
                                                DirectoryGrant{folder_.path() / "d", "/more"}));
}

TEST_F(NurTomlTest, AddsOutboundRulesToThoseOfTheCommandLine) {
  defaults_.outbound = {"loopback:8181"};
  EXPECT_THAT(only("[function.a]\nallow_outbound = [\"*:443\"]\n").outbound,
              ElementsAre("loopback:8181", "*:443"));
  EXPECT_THAT(only("[function.a]\n").outbound, ElementsAre("loopback:8181"));
}

TEST_F(NurTomlTest, ReadsNebulasTable) {
  const NebulaSettings settings =
      nebula("[nebula]\nroutes = false\nfirst = true\nclamp = { fib = 30 }\ndata = \"history\"\n");
  EXPECT_FALSE(settings.routes);
  EXPECT_TRUE(settings.first);
  EXPECT_THAT(settings.clamps, ElementsAre(Pair("fib", 30)));
  EXPECT_EQ(settings.data, folder_.path() / "history");
}
TEST_F(NurTomlTest, HasNebulasClampsUnlessToldOtherwise) {
  EXPECT_EQ(nebula("[nebula]\n").clamps, nebula_clamps());
  EXPECT_EQ(nebula("[nebula]\nclamp = true\n").clamps, nebula_clamps());
  EXPECT_TRUE(nebula("[nebula]\nclamp = false\n").clamps.empty());
}

TEST_F(NurTomlTest, RefusesAnUnknownKeyOfTheFile) {
  EXPECT_EQ(refusal("[functions.a]\n"),
            "nur.toml:1:2: unknown key `functions`; did you mean `function`?");
}
TEST_F(NurTomlTest, RefusesAnotherVersionOfTheFormat) {
  EXPECT_EQ(refusal("manifest_version = 2\n"),
            "nur.toml:1:20: `manifest_version` is from 1 to 1, not 2");
}
TEST_F(NurTomlTest, RefusesAnUnknownKeyOfAFunction) {
  EXPECT_EQ(refusal("[function.a]\nenviroment = {}\n"),
            "nur.toml:2:1: unknown key `enviroment`; did you mean `environment`?");
}
TEST_F(NurTomlTest, RefusesOtherNamesOfKeysAndSaysOurs) {
  const std::pair<const char*, const char*> names[] = {{"env", "environment"},
                                                       {"arguments", "args"},
                                                       {"kv", "limits.kv"},
                                                       {"dirs", "files"},
                                                       {"outbound", "allow_outbound"},
                                                       {"memory", "limits.memory"},
                                                       {"timeout", "limits.timeout"},
                                                       {"cpu", "limits.cpu"},
                                                       {"concurrency", "limits.concurrency"},
                                                       {"queue", "limits.queue"},
                                                       {"stack", "limits.stack"},
                                                       {"body", "limits.body"}};
  for (const auto& [wrong, right] : names) {
    EXPECT_EQ(refusal(fmt::format("[function.a]\n{} = 1\n", wrong)),
              fmt::format("nur.toml:2:1: unknown key `{}`; did you mean `{}`?", wrong, right));
  }
}
TEST_F(NurTomlTest, RefusesAnUnknownLimit) {
  EXPECT_EQ(refusal("[function.a]\nlimits = { memory = \"1MiB\", timout = \"1s\" }\n"),
            "nur.toml:2:29: unknown key `timout`; did you mean `timeout`?");
}
TEST_F(NurTomlTest, RefusesAFunctionThatIsNoTable) {
  EXPECT_EQ(refusal("[function]\na = 1\n"), "nur.toml:2:5: `a` is a table, not a whole number");
}
TEST_F(NurTomlTest, RefusesLimitsThatAreNoTable) {
  EXPECT_EQ(refusal("[function.a]\nlimits = 1\n"),
            "nur.toml:2:10: `limits` is a table, not a whole number");
}
TEST_F(NurTomlTest, RefusesLimitsOutOfTheirRanges) {
  const std::pair<const char*, const char*> limits[] = {
      {"memory = \"32KiB\"", "`memory` is from 64KiB to 4GiB, not 32KiB"},
      {"memory = \"5GiB\"", "`memory` is from 64KiB to 4GiB, not 5GiB"},
      {"timeout = \"0s\"", "`timeout` is from 1ms to 24h, not 0s"},
      {"timeout = \"25h\"", "`timeout` is from 1ms to 24h, not 25h"},
      {"cpu = \"100us\"", "`cpu` is from 1ms to 24h, not 100us"},
      {"stack = \"4KiB\"", "`stack` is from 64KiB to 64MiB, not 4KiB"},
      {"stack = \"65KiB\"", "`stack` is a multiple of 4KiB, not 65KiB"},
      {"body = \"2GiB\"", "`body` is from 0B to 1GiB, not 2GiB"},
      {"concurrency = 0", "`concurrency` is from 1 to 10000, not 0"},
      {"queue = 100001", "`queue` is from 0 to 100000, not 100001"}};
  for (const auto& [limit, what] : limits) {
    EXPECT_THAT(refusal(fmt::format("[function.a.limits]\n{}\n", limit)), HasSubstr(what));
  }
}
TEST_F(NurTomlTest, RefusesLimitsOfTheWrongKind) {
  EXPECT_EQ(refusal("[function.a.limits]\nmemory = 64\n"),
            "nur.toml:2:10: `memory` is a size like \"64MiB\", not a whole number");
  EXPECT_EQ(refusal("[function.a.limits]\nconcurrency = \"many\"\n"),
            "nur.toml:2:15: `concurrency` is a whole number, not a text");
}
TEST_F(NurTomlTest, RefusesAVariableThatIsNoText) {
  EXPECT_EQ(refusal("[function.a.environment]\nPORT = 80\n"),
            "nur.toml:2:8: `PORT` is a text, not a whole number");
}
TEST_F(NurTomlTest, RefusesANameThatNoVariableCanHave) {
  EXPECT_EQ(refusal("[function.a.environment]\n\"a=b\" = \"\"\n"),
            "nur.toml:2:1: `a=b` is no name of a variable: it must not be empty, nor have a '=' or "
            "a NUL");
  EXPECT_THAT(refusal("[function.a.environment]\n\"\" = \"\"\n"), HasSubstr("no name"));
  EXPECT_THAT(refusal("[function.a.environment]\n\"a\\u0000\" = \"\"\n"), HasSubstr("no name"));
}
TEST_F(NurTomlTest, RefusesANulInAVariable) {
  EXPECT_EQ(refusal("[function.a.environment]\nA = \"x\\u0000y\"\n"),
            "nur.toml:2:5: `A` has a NUL in its value");
}
TEST_F(NurTomlTest, RefusesANulInAnArgument) {
  EXPECT_EQ(refusal("[function.a]\nargs = [\"x\", \"\\u0000\"]\n"),
            "nur.toml:2:14: an argument has a NUL");
}
TEST_F(NurTomlTest, RefusesTooLongAnEnvironment) {
  EXPECT_EQ(
      refusal(fmt::format("[function.a.environment]\nA = \"{}\"\n", std::string(1 << 19, 'x'))),
      "nur.toml:2:1: `environment` is longer than 512KiB in all");
}
TEST_F(NurTomlTest, RefusesTooLongArguments) {
  EXPECT_EQ(refusal(fmt::format("[function.a]\nargs = [\"{}\"]\n", std::string(1 << 19, 'x'))),
            "nur.toml:2:9: `args` is longer than 512KiB in all");
}
TEST_F(NurTomlTest, RefusesADirectoryWithoutSource) {
  EXPECT_EQ(refusal("[function.a]\nfiles = [{ target = \"/\" }]\n"),
            "nur.toml:2:10: a directory has no `source`");
}
TEST_F(NurTomlTest, RefusesADirectoryWithoutTarget) {
  EXPECT_EQ(refusal("[function.a]\nfiles = [{ source = \".\" }]\n"),
            "nur.toml:2:10: a directory has no `target`");
}
TEST_F(NurTomlTest, RefusesADirectoryWithAnEmptyPath) {
  EXPECT_EQ(refusal("[function.a]\nfiles = [{ source = \"\", target = \"/\" }]\n"),
            "nur.toml:2:21: `source` is empty");
  EXPECT_EQ(refusal("[function.a]\nfiles = [{ source = \".\", target = \"\" }]\n"),
            "nur.toml:2:35: `target` is empty");
}
TEST_F(NurTomlTest, RefusesADirectoryThatIsNotThere) {
  EXPECT_EQ(refusal("[function.a]\nfiles = [{ source = \"nowhere\", target = \"/\" }]\n"),
            fmt::format("nur.toml:2:21: {} is no directory that is there",
                        (folder_.path() / "nowhere").string()));
}
TEST_F(NurTomlTest, RefusesAnUnknownMode) {
  EXPECT_EQ(refusal("[function.a]\nfiles = [{ source = \".\", target = \"/\", mode = \"r\" }]\n"),
            "nur.toml:2:47: `mode` is \"ro\" (to read) or \"rw\" (to change, too), not \"r\"");
}
TEST_F(NurTomlTest, RefusesAnUnknownKeyOfADirectory) {
  EXPECT_EQ(refusal("[function.a]\nfiles = [{ host = \".\", target = \"/\" }]\n"),
            "nur.toml:2:12: unknown key `host`; did you mean `source`?");
}
TEST_F(NurTomlTest, RefusesTwoDirectoriesAtOneTarget) {
  EXPECT_EQ(refusal("[[function.a.files]]\nsource = \".\"\ntarget = \"/x\"\n"
                    "[[function.a.files]]\nsource = \".\"\ntarget = \"/x\"\n"),
            "nur.toml:4:1: two directories have the target \"/x\"");
}
TEST_F(NurTomlTest, RefusesMoreDirectoriesThanAGuestHasRoomFor) {
  std::string text = "[function.a]\nfiles = [\n";
  for (int i = 0; i < 33; ++i) text += fmt::format("{{ source = \".\", target = \"/{}\" }},\n", i);
  EXPECT_EQ(refusal(text + "]\n"), "nur.toml:2:1: 33 directories; a function has 32 at most");
}
TEST_F(NurTomlTest, RefusesAnOutboundRuleThatIsNone) {
  EXPECT_THAT(refusal("[function.a]\nallow_outbound = [\"*:443\", \"\"]\n"),
              StartsWith("nur.toml:2:28: "));
  EXPECT_THAT(refusal("[function.a]\nallow_outbound = [\"example.test\"]\n"),
              AllOf(StartsWith("nur.toml:2:19: "), HasSubstr("example.test")));
}
TEST_F(NurTomlTest, RefusesMoreOutboundRulesThanThereMayBe) {
  std::string text = "[function.a]\nallow_outbound = [";
  for (std::size_t i = 0; i <= kOutboundRulesMax; ++i) text += "\"*:443\", ";
  EXPECT_THAT(refusal(text + "]\n"), StartsWith("nur.toml:2:18: "));
}
TEST_F(NurTomlTest, RefusesAnUnknownKeyOfNebula) {
  EXPECT_EQ(refusal("[nebula]\nclamps = true\n"),
            "nur.toml:2:1: unknown key `clamps`; did you mean `clamp`?");
}
TEST_F(NurTomlTest, RefusesClampsOfTheWrongKind) {
  EXPECT_EQ(
      refusal("[nebula]\nclamp = 5\n"),
      "nur.toml:2:9: `clamp` is true, false, or a table of the largest input of each function");
  EXPECT_EQ(refusal("[nebula]\nclamp = { fib = \"5\" }\n"),
            "nur.toml:2:17: `fib` is a whole number, not a text");
}
TEST_F(NurTomlTest, RefusesAnEmptyDataFolder) {
  EXPECT_EQ(refusal("[nebula]\ndata = \"\"\n"), "nur.toml:2:8: `data` is empty");
}

}  // namespace
}  // namespace nur
