#include "host/config/toml_file.h"

#include <array>
#include <random>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

namespace nur {
namespace {

using namespace std::string_view_literals;

TomlFile parsed(std::string_view text) {
  Result<TomlFile> file = TomlFile::parse(text, "a.toml");
  if (!file) throw std::runtime_error(file.error().message);
  return *std::move(file);
}

template <class T>
std::string refusal(const Result<T>& result) {
  EXPECT_FALSE(result);
  if (result) return "";
  EXPECT_EQ(result.error().kind, ErrorKind::invalid_input);
  return result.error().message;
}

TEST(TomlFile, KnowsWhereKeysAndValuesStand) {
  const TomlFile file = parsed("a = 1\n[b.c]\n  d = \"x\"\n");

  const TomlEntry* const b = file.root().find("b");
  ASSERT_NE(b, nullptr);
  const TomlEntry* const c = b->value.find("c");
  ASSERT_NE(c, nullptr);
  const TomlEntry* const d = c->value.find("d");
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(c->place.line, 2U);
  EXPECT_EQ(c->place.column, 4U);
  EXPECT_EQ(d->place.line, 3U);
  EXPECT_EQ(d->place.column, 3U);
  EXPECT_EQ(d->value.place.column, 7U);
  EXPECT_EQ(*file.text(*d), "x");
}

TEST(TomlFile, KeepsTheOrderOfTheFile) {
  const TomlFile file = parsed("z = 1\na = 2\nm = 3\n");

  ASSERT_EQ(file.root().entries.size(), 3U);
  EXPECT_EQ(file.root().entries[0].key, "z");
  EXPECT_EQ(file.root().entries[1].key, "a");
  EXPECT_EQ(file.root().entries[2].key, "m");
}

TEST(TomlFile, ReadsEveryKindOfValue) {
  const TomlFile file = parsed(
      "text = \"t\"\ncount = 7\nyes = true\nsize = \"64KiB\"\ntime = \"2s\"\n"
      "list = [\"a\", \"b\"]\ntables = [{ x = 1 }, { x = 2 }]\n");
  const auto entry = [&](std::string_view key) { return *file.root().find(key); };

  EXPECT_EQ(*file.text(entry("text")), "t");
  EXPECT_EQ(*file.count(entry("count"), 0, 10), 7U);
  EXPECT_TRUE(*file.boolean(entry("yes")));
  EXPECT_EQ(*file.size(entry("size"), 0, 1 << 20), 64U << 10);
  EXPECT_EQ(*file.duration(entry("time"), Nanoseconds(1), std::chrono::hours(1)),
            std::chrono::seconds(2));
  EXPECT_EQ(*file.texts(entry("list")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(file.tables(entry("tables"))->size(), 2U);
}

TEST(TomlFile, RefusesWhatIsNoToml) {
  const std::string said = refusal(TomlFile::parse("a = 1\nb = = 2\n", "a.toml"));
  EXPECT_TRUE(said.starts_with("a.toml:2:5: no valid TOML: ")) << said;
}
TEST(TomlFile, RefusesAKeyThatIsThereTwice) {
  const std::string said = refusal(TomlFile::parse("a = 1\na = 2\n", "a.toml"));
  EXPECT_TRUE(said.starts_with("a.toml:2:")) << said;
  EXPECT_NE(said.find("no valid TOML: "), std::string::npos) << said;
}
TEST(TomlFile, RefusesTablesNestedTooDeeply) {
  std::string header = "[a";
  for (int i = 0; i < 40; ++i) header += ".a";
  EXPECT_EQ(refusal(TomlFile::parse(header + "]\n", "a.toml")),
            "a.toml:1:1: no valid TOML: tables nested too deeply");
}
TEST(TomlFile, RefusesAKeyOfVeryManyParts) {
  std::string parts = "a";
  for (int i = 0; i < 400'000; ++i) parts += ".a";
  for (const auto& [text, place] : std::vector<std::pair<std::string, std::string>>{
           {parts + " = 1\n", "1:512"},
           {"x = 1 # ...\n[" + parts + "]\n", "2:513"},
           {"[[" + parts + "]]\n", "1:514"},
           {"x = { " + parts + " = 1 }\n", "1:518"},
           {"\"=\" . " + parts + " = 1\n", "1:516"},
           {"x = \"\"\"\n\"\\\"\n\"\"\"\n" + parts + " = 1\n", "4:512"},
           {"x = \"unclosed\n" + parts + " = 1\n", "2:512"}}) {
    EXPECT_EQ(refusal(TomlFile::parse(text, "a.toml")),
              "a.toml:" + place + ": no valid TOML: a key of more than 256 parts")
        << text.substr(0, 30);
  }
}
TEST(TomlFile, TakesDotsWhereTheyAreNoKeys) {
  std::string dots(1000, '.');
  std::string numbers = "0.5";
  for (int i = 0; i < 400; ++i) numbers += ", 0.5";
  const TomlFile file =
      parsed("a = \"" + dots + "\" # " + dots + "\nb = '" + dots + "'\nc = \"\"\"\n" + dots +
             "\n\"\"\"\nd = [" + numbers + "]\ne = '''" + dots + "'''\n");
  EXPECT_EQ(file.root().entries.size(), 5U);
}
TEST(TomlFile, RefusesOrTakesWhateverIsWrittenAndLives) {
  const std::string seed =
      "manifest_version = 1\n[function.cart]\nargs = [\"a\", 'b']\nlimits = { memory = \"1MiB\" }\n"
      "[[function.cart.files]]\nsource = \"\"\"x\"\"\"\nd = 1979-05-27T07:32:00Z\nf = 1.5e3\n";
  constexpr std::string_view kBytes = "\"'#.=,{}[]\n\\ \t0a\0\xff\xc3";
  std::mt19937 random(20'240'501);
  int taken = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    std::string text = seed;
    for (int change = 0; change < 1 + turn % 4; ++change) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 5);
          break;
        default:
          text.insert(at, 1, kBytes[random() % kBytes.size()]);
      }
      if (text.empty()) text = "a";
    }
    const Result<TomlFile> file = TomlFile::parse(text, "a.toml");
    if (file) {
      ++taken;
    } else {
      EXPECT_TRUE(file.error().message.starts_with("a.toml:")) << file.error().message;
    }
  }
  EXPECT_GT(taken, 100);
}
TEST(TomlFile, RefusesAFileThatIsNotThere) {
  const Result<TomlFile> file = TomlFile::read("/nowhere/a.toml");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::not_found);
}
TEST(TomlFile, RefusesAnUnknownKeyAndSaysWhatWasMeant) {
  const TomlFile file = parsed("\n  timout = 1\n");
  EXPECT_EQ(refusal(file.expect_keys(file.root(), std::array{"timeout"sv, "memory"sv})),
            "a.toml:2:3: unknown key `timout`; did you mean `timeout`?");
}
TEST(TomlFile, RefusesAnUnknownKeyLikeNoneAndNamesThem) {
  const TomlFile file = parsed("colour = 1\n");
  EXPECT_EQ(refusal(file.expect_keys(file.root(), std::array{"timeout"sv, "memory"sv})),
            "a.toml:1:1: unknown key `colour`; known here: timeout, memory");
}
TEST(TomlFile, ShowsKeysThatCannotBePrintedOnOneLine) {
  const TomlFile file = parsed("\"a\\nb\" = 1\n");
  EXPECT_EQ(refusal(file.expect_keys(file.root(), std::array{"timeout"sv})),
            "a.toml:1:1: unknown key `a\\nb`; known here: timeout");
}
TEST(TomlFile, RefusesAValueOfAnotherKind) {
  const TomlFile file =
      parsed("a = 1\nb = \"x\"\nc = 1.5\nd = [1]\ne = 1979-05-27\nf = true\ng = {}\n");
  const auto entry = [&](std::string_view key) { return *file.root().find(key); };
  EXPECT_EQ(refusal(file.text(entry("a"))), "a.toml:1:5: `a` is a text, not a whole number");
  EXPECT_EQ(refusal(file.count(entry("b"), 0, 1)), "a.toml:2:5: `b` is a whole number, not a text");
  EXPECT_EQ(refusal(file.count(entry("c"), 0, 1)),
            "a.toml:3:5: `c` is a whole number, not a number");
  EXPECT_EQ(refusal(file.texts(entry("d"))),
            "a.toml:4:6: `d` is a list of texts, not a whole number");
  EXPECT_EQ(refusal(file.tables(entry("d"))),
            "a.toml:4:6: `d` is a list of tables, not a whole number");
  EXPECT_EQ(refusal(file.text(entry("e"))), "a.toml:5:5: `e` is a text, not a date or time");
  EXPECT_EQ(refusal(file.size(entry("f"), 0, 1)),
            "a.toml:6:5: `f` is a size like \"64MiB\", not true or false");
  EXPECT_EQ(refusal(file.duration(entry("g"), Nanoseconds(0), Nanoseconds(1))),
            "a.toml:7:5: `g` is a duration like \"500ms\", not a table");
  EXPECT_EQ(refusal(file.boolean(entry("a"))),
            "a.toml:1:5: `a` is true or false, not a whole number");
  EXPECT_EQ(refusal(file.table(entry("d"))), "a.toml:4:5: `d` is a table, not a list");
  EXPECT_EQ(refusal(file.texts(entry("a"))),
            "a.toml:1:5: `a` is a list of texts, not a whole number");
  EXPECT_EQ(refusal(file.tables(entry("a"))),
            "a.toml:1:5: `a` is a list of tables, not a whole number");
}
TEST(TomlFile, RefusesANumberOutOfItsRange) {
  const TomlFile file = parsed("a = 11\nb = -1\n");
  EXPECT_EQ(refusal(file.count(*file.root().find("a"), 1, 10)),
            "a.toml:1:5: `a` is from 1 to 10, not 11");
  EXPECT_EQ(refusal(file.count(*file.root().find("b"), 0, 10)),
            "a.toml:2:5: `b` is from 0 to 10, not -1");
}
TEST(TomlFile, RefusesABadSize) {
  const TomlFile file = parsed("a = \"64MB\"\nb = \"2MiB\"\n");
  EXPECT_EQ(refusal(file.size(*file.root().find("a"), 0, 1 << 20)),
            "a.toml:1:5: \"64MB\" is no size; write 64KiB, 16MiB or 1GiB");
  EXPECT_EQ(refusal(file.size(*file.root().find("b"), 0, 1 << 20)),
            "a.toml:2:5: `b` is from 0B to 1MiB, not 2MiB");
}
TEST(TomlFile, RefusesABadDuration) {
  const TomlFile file = parsed("a = \"2 seconds\"\nb = \"2h\"\n");
  EXPECT_EQ(refusal(file.duration(*file.root().find("a"), Nanoseconds(0), std::chrono::hours(1))),
            "a.toml:1:5: \"2 seconds\" is no duration; write 500ms, 2s or 1m");
  EXPECT_EQ(refusal(file.duration(*file.root().find("b"), Milliseconds(1), std::chrono::hours(1))),
            "a.toml:2:5: `b` is from 1ms to 1h, not 2h");
}

}  // namespace
}  // namespace nur
