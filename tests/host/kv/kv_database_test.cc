#include "host/kv/kv_database.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <sqlite3.h>
#include <sstream>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include "base/log.h"

namespace nur {
namespace {

using Kind = KvRequest::Kind;

constexpr std::int64_t kNow = 1'000'000'000'000;

class KvDatabaseTest : public ::testing::Test {
 protected:
  void open(const KvLimits& limits = {}) {
    database_.reset();
    Result<std::unique_ptr<KvDatabase>> opened = KvDatabase::open(path_, limits);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = *std::move(opened);
  }
  KvReply ask(const KvRequest& request) { return database_->execute({&request, 1}, now_).front(); }
  std::string get(const std::string& key, const std::string& space = "f") {
    const KvReply reply = ask({.kind = Kind::get, .space = space, .key = key});
    if (reply.code >= 0) {
      EXPECT_EQ(reply.code, static_cast<std::int64_t>(reply.bytes.size()));
    }
    return reply.code < 0 ? std::to_string(reply.code) : reply.bytes;
  }
  std::int64_t set(const std::string& key, const std::string& value, std::int64_t ttl = 0,
                   const std::string& space = "f") {
    return ask({.kind = Kind::set, .lifetime_ms = ttl, .space = space, .key = key, .value = value})
        .code;
  }
  std::int64_t remove(const std::string& key, const std::string& space = "f") {
    return ask({.kind = Kind::remove, .space = space, .key = key}).code;
  }
  KvReply increment(const std::string& key, std::int64_t delta, std::int64_t ttl = 0) {
    return ask(
        {.kind = Kind::increment, .number = delta, .lifetime_ms = ttl, .space = "f", .key = key});
  }
  // "a b c", or the code.
  std::string list(const std::string& prefix = "", const std::string& after = "",
                   std::int64_t room = 4096, const std::string& space = "f") {
    const KvReply reply =
        ask({.kind = Kind::list, .number = room, .space = space, .key = prefix, .value = after});
    if (reply.code < 0) return std::to_string(reply.code);
    EXPECT_LE(reply.code, room);
    std::string text;
    for (std::size_t at = 0; at < reply.bytes.size();) {
      std::uint32_t length = 0;
      std::memcpy(&length, reply.bytes.data() + at, sizeof length);
      text += (text.empty() ? "" : " ") + reply.bytes.substr(at + 4, length);
      at += 4 + length;
    }
    return text;
  }

  std::optional<Path> path_;
  std::int64_t now_ = kNow;
  std::unique_ptr<KvDatabase> database_;
};

class KvFileTest : public KvDatabaseTest {
 protected:
  KvFileTest() { path_ = folder_.path() / "kv.sqlite"; }
  ScratchDir folder_ = *ScratchDir::create("kv");
};

TEST_F(KvDatabaseTest, GivesBackWhatWasSet) {
  open();
  EXPECT_EQ(get("k"), "-1");
  EXPECT_EQ(set("k", "v"), 0);
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(set("k", "another"), 0);
  EXPECT_EQ(get("k"), "another");
  EXPECT_EQ(set("k", ""), 0);
  EXPECT_EQ(get("k"), "");
  EXPECT_EQ(remove("k"), 1);
  EXPECT_EQ(remove("k"), 0);
  EXPECT_EQ(get("k"), "-1");
}

TEST_F(KvDatabaseTest, KeysAndValuesAreAnyBytes) {
  open();
  const std::string key("\0'\";--\xff\n", 8);
  const std::string value("\0\xff", 2);
  EXPECT_EQ(set(key, value), 0);
  EXPECT_EQ(get(key), value);
  EXPECT_EQ(get(key.substr(0, 1)), "-1");
  EXPECT_EQ(set(std::string("\0", 1), "zero"), 0);
  EXPECT_EQ(get(std::string("\0", 1)), "zero");
}

TEST_F(KvDatabaseTest, NamespacesSeeNothingOfEachOther) {
  open();
  set("k", "one", 0, "a");
  set("k", "two", 0, "b");
  EXPECT_EQ(get("k", "a"), "one");
  EXPECT_EQ(get("k", "b"), "two");
  EXPECT_EQ(get("k", "A"), "-1");
  EXPECT_EQ(list("", "", 4096, "a"), "k");
  EXPECT_EQ(remove("k", "a"), 1);
  EXPECT_EQ(get("k", "b"), "two");
  EXPECT_EQ(list("", "", 4096, "nobody"), "");
}

TEST_F(KvDatabaseTest, RefusesKeysThatAreTooLongOrEmpty) {
  open();
  const std::string longest(kKvKeyBytesMax, 'k');
  EXPECT_EQ(set(longest, "v"), 0);
  EXPECT_EQ(get(longest), "v");
  for (const std::string& key : {std::string(), longest + "k"}) {
    EXPECT_EQ(set(key, "v"), -4);
    EXPECT_EQ(get(key), "-4");
    EXPECT_EQ(remove(key), -4);
    EXPECT_EQ(increment(key, 1).code, -4);
  }
  EXPECT_EQ(list(longest + "k"), "-4");
  EXPECT_EQ(list("", longest + "k"), "-4");
}

TEST_F(KvDatabaseTest, RefusesValuesThatAreTooLong) {
  open();
  EXPECT_EQ(set("k", std::string(kKvValueBytesMax, 'v')), 0);
  EXPECT_EQ(set("k", std::string(kKvValueBytesMax + 1, 'v')), -2);
  EXPECT_EQ(get("k").size(), kKvValueBytesMax);
}

TEST_F(KvDatabaseTest, ANamespaceHoldsSoManyBytes) {
  // Two keys, and what a third one adds.
  open({.bytes_max = 1000 + 2 * kKvKeyOverhead});
  EXPECT_EQ(set("a", std::string(499, 'v')), 0);
  EXPECT_EQ(set("b", std::string(499, 'v')), 0);
  EXPECT_EQ(set("c", ""), -2);
  EXPECT_EQ(set("a", std::string(500, 'v')), -2);
  EXPECT_EQ(get("a"), std::string(499, 'v'));
  EXPECT_EQ(set("a", "short"), 0);
  EXPECT_EQ(set("c", std::string(400, 'v')), 0);
  EXPECT_EQ(set("c", std::string(999, 'v'), 0, "other"), 0);
  EXPECT_EQ(remove("b"), 1);
  EXPECT_EQ(set("d", std::string(499, 'v')), 0);
}

TEST_F(KvDatabaseTest, NamespacesHaveBoundsOfTheirOwn) {
  open({.bytes_max = 1000, .bytes_max_of = {{"small", 100}, {"none", 0}}});
  EXPECT_EQ(set("a", std::string(900, 'v'), 0, "other"), 0);
  EXPECT_EQ(set("a", std::string(36, 'v'), 0, "small"), -2);
  EXPECT_EQ(set("a", std::string(35, 'v'), 0, "small"), 0);
  EXPECT_EQ(set("a", "", 0, "none"), -2);
}

TEST(KvLimits, InMemoryFunctionsShareWhatThereIs) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  const KvLimits shared =
      shared_out({}, {{"a", std::nullopt}, {"b", std::nullopt}, {"c", 7 * kMiB}}, true);
  EXPECT_EQ(shared.bytes_max, kKvMemoryBytes / 2);
  EXPECT_EQ(shared.bytes_max_of.size(), 1U);
  EXPECT_EQ(shared.bytes_max_of.at("c"), 7 * kMiB);
  EXPECT_EQ(shared.memory_bytes_max, 6 * (kKvMemoryBytes + 7 * kMiB));
  EXPECT_EQ(shared_out({.bytes_max = kMiB}, {{"a", std::nullopt}}, true).bytes_max, kMiB);
  EXPECT_EQ(shared_out({}, {{"a", std::nullopt}, {"b", std::nullopt}}, false).bytes_max,
            256 * kMiB);
}

// One fills its part in the way that takes SQLite the most room, and takes out every other key
// again, and fills up again; then the other one has as much room as if it were alone.
TEST_F(KvDatabaseTest, WhoFillsItsPartOfTheMemoryLeavesTheOthersTheirs) {
  struct Shape {
    std::size_t key_bytes;
    std::size_t value_bytes;
  };
  for (const Shape shape : {Shape{6, 0}, Shape{512, 0}, Shape{6, 2100}, Shape{6, 4100}}) {
    KvLimits limits = shared_out({.bytes_max = 1 << 20},
                                 {{"greedy", std::nullopt}, {"other", std::nullopt}}, true);
    open(limits);
    std::mt19937 random(7);
    const auto fill = [&](const std::string& space) {
      std::vector<std::string> keys;
      while (true) {
        std::string key = fmt::format("{:06}", random() % 1'000'000);
        key.resize(shape.key_bytes, 'k');
        const std::int64_t code = set(key, std::string(shape.value_bytes, 'v'), 0, space);
        if (code == -2) return keys;
        EXPECT_EQ(code, 0) << space << " " << keys.size();
        if (code != 0) return keys;
        keys.push_back(std::move(key));
      }
    };
    for (int round = 0; round < 4; ++round) {
      for (const std::string& key : fill("greedy")) {
        if (random() % 3 != 0) remove(key, "greedy");
      }
    }
    fill("greedy");
    EXPECT_GE(fill("other").size(), (1U << 20) / (shape.key_bytes + shape.value_bytes + 64));
  }
}

TEST_F(KvDatabaseTest, TheLogSaysOnceAMinuteWhoIsFull) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  open({.bytes_max = 100});
  const auto lines = [&] {
    const std::string text = log.str();
    return std::ranges::count(text, '\n');
  };
  for (int i = 0; i < 50; ++i) EXPECT_EQ(set("k", std::string(100, 'v'), 0, "greedy"), -2);
  EXPECT_EQ(lines(), 1);
  EXPECT_NE(log.str().find("function greedy: has stored all that it may, 100B"), std::string::npos);
  EXPECT_EQ(set("k", std::string(100, 'v'), 0, "other"), -2);
  EXPECT_EQ(lines(), 2);
  now_ += 59'999;
  EXPECT_EQ(set("k", std::string(100, 'v'), 0, "greedy"), -2);
  EXPECT_EQ(lines(), 2);
  now_ += 1;
  EXPECT_EQ(set("k", std::string(100, 'v'), 0, "greedy"), -2);
  EXPECT_EQ(lines(), 3);
  spdlog::set_default_logger(before);
}

TEST_F(KvDatabaseTest, ANamespaceHoldsSoManyKeys) {
  open({.keys_max = 3});
  for (const char* const key : {"a", "b", "c"}) EXPECT_EQ(set(key, "v"), 0);
  EXPECT_EQ(set("d", "v"), -2);
  EXPECT_EQ(increment("d", 1).code, -2);
  EXPECT_EQ(set("a", "again"), 0);
  EXPECT_EQ(remove("b"), 1);
  EXPECT_EQ(increment("d", 1).code, 0);
  EXPECT_EQ(set("e", "v"), -2);
}

TEST_F(KvDatabaseTest, HoldsSoManyNamespaces) {
  open({.spaces_max = 2});
  EXPECT_EQ(set("k", "v", 0, "a"), 0);
  EXPECT_EQ(set("k", "v", 0, "b"), 0);
  EXPECT_EQ(set("k", "v", 0, "c"), -2);
  EXPECT_EQ(get("k", "c"), "-1");
}

TEST_F(KvDatabaseTest, ExpiredValuesAreGoneAtOnce) {
  open();
  EXPECT_EQ(set("k", "v", 100), 0);
  EXPECT_EQ(set("stays", "v"), 0);
  now_ += 99;
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(list(), "k stays");
  now_ += 1;
  EXPECT_EQ(get("k"), "-1");
  EXPECT_EQ(list(), "stays");
  EXPECT_EQ(remove("k"), 0);
  EXPECT_EQ(set("again", "v", 100), 0);
  EXPECT_EQ(set("again", "v"), 0);
  now_ += 1000;
  EXPECT_EQ(get("again"), "v");
  EXPECT_EQ(set("k", "v", -1), -4);
  EXPECT_EQ(set("k", "v", INT64_MAX), 0);
  EXPECT_EQ(get("k"), "v");
}

TEST_F(KvDatabaseTest, ExpiredValuesMakeRoom) {
  open({.bytes_max = 1000 + 2 * kKvKeyOverhead, .keys_max = 10});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(set(fmt::format("old{}", i), "v", 100), 0);
  EXPECT_EQ(set("new", "v"), -2);
  now_ += 100;
  EXPECT_EQ(set("new", "v"), 0);
  EXPECT_EQ(set("big", std::string(900, 'v')), 0);
}

TEST_F(KvDatabaseTest, PurgesAFewAtATime) {
  open();
  for (int i = 0; i < 25; ++i) set(fmt::format("k{}", i), "v", 100, i % 2 == 0 ? "a" : "b");
  set("stays", "v");
  EXPECT_EQ(database_->purge(now_, 10), 0U);
  now_ += 100;
  EXPECT_EQ(database_->purge(now_, 10), 10U);
  EXPECT_EQ(database_->purge(now_, 10), 10U);
  EXPECT_EQ(database_->purge(now_, 10), 5U);
  EXPECT_EQ(database_->purge(now_, 10), 0U);
  EXPECT_EQ(get("stays"), "v");
}

TEST_F(KvDatabaseTest, IncrementsDecimalIntegers) {
  open();
  EXPECT_EQ(increment("n", 5).number, 5);
  EXPECT_EQ(increment("n", -7).number, -2);
  EXPECT_EQ(get("n"), "-2");
  EXPECT_EQ(set("n", "9223372036854775806"), 0);
  EXPECT_EQ(increment("n", 1).number, INT64_MAX);
  EXPECT_EQ(increment("n", 1).code, -4);
  EXPECT_EQ(get("n"), "9223372036854775807");
  EXPECT_EQ(increment("low", INT64_MIN).number, INT64_MIN);
  EXPECT_EQ(increment("low", -1).code, -4);
  for (const char* const text :
       {"", " 1", "1 ", "+1", "1.5", "0x1", "one", "9223372036854775808"}) {
    EXPECT_EQ(set("n", text), 0);
    EXPECT_EQ(increment("n", 1).code, -4) << text;
    EXPECT_EQ(get("n"), text);
  }
}

TEST_F(KvDatabaseTest, AnIncrementKeepsTheLifetimeThatItsKeyWasMadeWith) {
  open();
  EXPECT_EQ(increment("n", 1, 100).number, 1);
  now_ += 60;
  EXPECT_EQ(increment("n", 1, 100).number, 2);
  now_ += 60;
  EXPECT_EQ(get("n"), "-1");
  EXPECT_EQ(increment("n", 1, 100).number, 1);
}

TEST_F(KvDatabaseTest, ListsKeysInTheOrderOfTheirBytes) {
  open();
  for (const char* const key : {"b", "a", "ab", "B", "\xff", "a\x01", "aa"}) set(key, "v");
  EXPECT_EQ(list(), "B a a\x01 aa ab b \xff");
  EXPECT_EQ(list("a"), "a a\x01 aa ab");
  EXPECT_EQ(list("a", "a\x01"), "aa ab");
  EXPECT_EQ(list("a", "aaa"), "ab");
  EXPECT_EQ(list("a", "B"), "a a\x01 aa ab");
  EXPECT_EQ(list("a", "b"), "");
  EXPECT_EQ(list("zz"), "");
  EXPECT_EQ(list("\xff"), "\xff");
}

TEST_F(KvDatabaseTest, ListsWholeKeysAndGoesOnBehindTheLast) {
  open();
  std::string all;
  for (int i = 0; i < 100; ++i) {
    set(fmt::format("key{:03}", i), "v");
    all += fmt::format("{}key{:03}", i == 0 ? "" : " ", i);
  }
  std::string seen;
  std::string after;
  for (int page = 0; page < 100; ++page) {
    const std::string keys = list("key", after, 37);  // three of ten bytes each
    if (keys.empty()) break;
    seen += (seen.empty() ? "" : " ") + keys;
    after = keys.substr(keys.size() - 6);
  }
  EXPECT_EQ(seen, all);
  EXPECT_EQ(list("key", "", 9), "-2");
  EXPECT_EQ(list("key", "", 0), "-2");
  EXPECT_EQ(list("key", "", -5), "-2");
  EXPECT_EQ(list("none", "", 0), "");
}

TEST_F(KvDatabaseTest, AListLooksAtAThousandKeysAtMost) {
  open();
  std::vector<KvRequest> sets;
  for (int i = 0; i < 2500; ++i) {
    sets.push_back({.kind = Kind::set, .space = "f", .key = fmt::format("{:05}", i)});
  }
  database_->execute(sets, now_);
  std::vector<std::size_t> pages;
  std::string after;
  for (int page = 0; page < 10; ++page) {
    const std::string keys = list("", after, kKvListBytesMax);
    if (keys.empty()) break;
    pages.push_back((keys.size() + 1) / 6);
    after = keys.substr(keys.size() - 5);
  }
  EXPECT_EQ(after, "02499");
  // The one that it begins behind is looked at, too.
  EXPECT_EQ(pages, (std::vector<std::size_t>{1000, 999, 501}));
}

TEST_F(KvDatabaseTest, AListOfKeysThatAreGoneSaysHowFarItGot) {
  open();
  std::vector<KvRequest> sets;
  for (int i = 0; i < 1001; ++i) {
    sets.push_back(
        {.kind = Kind::set, .lifetime_ms = 1, .space = "f", .key = fmt::format("{:05}", i)});
  }
  database_->execute(sets, now_ - 1);
  const KvReply some = ask({.kind = Kind::list, .number = 4096, .space = "f"});
  EXPECT_EQ(some.code, static_cast<std::int64_t>(KvCode::unfinished));
  EXPECT_EQ(some.bytes, "00999");
  EXPECT_EQ(list("", some.bytes), "");
}

TEST_F(KvDatabaseTest, ExecutesSoManyAsItsTimeIsNotOver) {
  open();
  const std::vector<KvRequest> requests(
      10, {.kind = Kind::increment, .number = 1, .space = "f", .key = "n"});
  int looks = 0;
  const auto replies = database_->execute(requests, now_, SIZE_MAX, [&] { return ++looks >= 4; });
  EXPECT_EQ(replies.size(), 4U);
  EXPECT_EQ(get("n"), "4");
  // One at least, or it would never end.
  EXPECT_EQ(database_->execute(requests, now_, SIZE_MAX, [] { return true; }).size(), 1U);
}

TEST_F(KvDatabaseTest, ManyRequestsShareATransaction) {
  open();
  std::vector<KvRequest> requests;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    requests.push_back({.id = i, .kind = Kind::increment, .number = 1, .space = "f", .key = "n"});
  }
  const std::vector<KvReply> replies = database_->execute(requests, now_);
  ASSERT_EQ(replies.size(), 1000U);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(replies[i].id, i);
    EXPECT_EQ(replies[i].number, static_cast<std::int64_t>(i) + 1);
  }
}

// Random operations beside a map that does the same.
TEST_F(KvDatabaseTest, DoesWhatAMapDoes) {
  KvLimits limits{.bytes_max = 3500, .keys_max = 25};
  open(limits);
  struct Value {
    std::string bytes;
    std::int64_t expires;
  };
  std::map<std::string, Value> map;
  std::mt19937 random(11);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    now_ += random() % 20;
    std::erase_if(map,
                  [&](const auto& e) { return e.second.expires != 0 && e.second.expires <= now_; });
    const std::string key = fmt::format("k{}", random() % 60);
    const std::int64_t ttl = random() % 3 == 0 ? 1 + random() % 500 : 0;
    std::size_t bytes = 0;
    for (const auto& [k, v] : map) bytes += k.size() + v.bytes.size() + kKvKeyOverhead;
    const auto found = map.find(key);
    switch (random() % 4) {
      case 0: {
        const std::string value(random() % 200, static_cast<char>('a' + random() % 26));
        const std::size_t old =
            found == map.end() ? 0 : key.size() + found->second.bytes.size() + kKvKeyOverhead;
        const bool fits =
            bytes - old + key.size() + value.size() + kKvKeyOverhead <= limits.bytes_max &&
            map.size() + (found == map.end() ? 1 : 0) <= limits.keys_max;
        ASSERT_EQ(set(key, value, ttl), fits ? 0 : -2) << i;
        refused += fits ? 0 : 1;
        if (fits) map[key] = {value, ttl == 0 ? 0 : now_ + ttl};
        break;
      }
      case 1:
        ASSERT_EQ(remove(key), found == map.end() ? 0 : 1) << i;
        map.erase(key);
        break;
      case 2:
        ASSERT_EQ(get(key), found == map.end() ? "-1" : found->second.bytes) << i;
        break;
      default: {
        std::string all;
        for (const auto& [k, v] : map) all += (all.empty() ? "" : " ") + k;
        ASSERT_EQ(list(), all) << i;
        if (random() % 4 == 0) database_->purge(now_, 5);
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(KvFileTest, IsStillThereWhenItIsOpenedAgain) {
  open();
  set("k", "v");
  set("soon", "v", 100);
  increment("n", 41);
  open();
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(increment("n", 1).number, 42);
  now_ += 100;
  EXPECT_EQ(get("soon"), "-1");
}

TEST_F(KvFileTest, RemembersWhatItHoldsAgainstTheLimits) {
  open({.bytes_max = 1000});
  EXPECT_EQ(set("a", std::string(900, 'v')), 0);
  open({.bytes_max = 1000});
  EXPECT_EQ(set("b", std::string(200, 'v')), -2);
  EXPECT_EQ(remove("a"), 1);
  EXPECT_EQ(set("b", std::string(200, 'v')), 0);
}

TEST_F(KvFileTest, RefusesAFileOfSomethingElse) {
  ASSERT_TRUE(write_file(*path_, std::string(5000, 'x')));
  Result<std::unique_ptr<KvDatabase>> opened = KvDatabase::open(path_, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(opened.error().message.find("kv.sqlite"), std::string::npos);
}

TEST_F(KvFileTest, RefusesADatabaseOfSomethingElse) {
  sqlite3* other = nullptr;
  ASSERT_EQ(::sqlite3_open(path_->c_str(), &other), SQLITE_OK);
  ::sqlite3_exec(other, "CREATE TABLE theirs(x)", nullptr, nullptr, nullptr);
  ::sqlite3_close(other);
  Result<std::unique_ptr<KvDatabase>> opened = KvDatabase::open(path_, {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("something else"), std::string::npos);
}

TEST_F(KvFileTest, RefusesAFolderThatIsNotThere) {
  Result<std::unique_ptr<KvDatabase>> opened = KvDatabase::open(folder_.path() / "no" / "kv", {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::exhausted);
}

}  // namespace
}  // namespace nur
