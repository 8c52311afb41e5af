// Requests and replies survive the way in any pieces, and whatever is none breaks the stream.
#include "host/kv/kv_message.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nur {
namespace {

using Kind = KvRequest::Kind;

std::vector<KvRequest> requests() {
  return {
      {.id = 1, .kind = Kind::get, .space = "hello", .key = "k"},
      {.id = 2, .kind = Kind::set, .lifetime_ms = 1000, .space = "", .key = "", .value = "v"},
      {.id = 3, .kind = Kind::increment, .number = -7, .space = "s", .key = std::string("\0k", 2)},
      {.id = 4,
       .kind = Kind::set,
       .space = "s",
       .key = std::string(kKvKeyBytesMax, 'k'),
       .value = std::string(kKvValueBytesMax, 'v')},
      {.id = 5, .kind = Kind::list, .number = 4096, .space = "s", .key = "pre", .value = "after"}};
}

TEST(KvMessage, ArrivesInAnyPieces) {
  std::string bytes;
  for (const KvRequest& request : requests()) append(bytes, request);
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    KvStream<KvRequest> stream;
    std::vector<KvRequest> got;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t piece = 1 + random() % (round < 10 ? 100'000 : 40);
      stream.feed(std::string_view(bytes).substr(at, at < 2000 ? 1 + piece % 7 : 50'000 + piece));
      at += at < 2000 ? 1 + piece % 7 : 50'000 + piece;
      while (std::optional<KvRequest> request = stream.next()) got.push_back(*request);
    }
    EXPECT_EQ(got, requests());
    EXPECT_FALSE(stream.is_broken());
  }
}

TEST(KvMessage, OfRepliesArrivesToo) {
  const KvReply reply{.id = 9, .code = -2, .number = INT64_MIN, .bytes = std::string(70'000, 'x')};
  std::string bytes;
  append(bytes, reply);
  append(bytes, KvReply{});
  KvStream<KvReply> stream;
  stream.feed(bytes);
  EXPECT_EQ(stream.next(), reply);
  EXPECT_EQ(stream.next(), KvReply{});
  EXPECT_EQ(stream.next(), std::nullopt);
}

TEST(KvMessage, ThatIsTooLongBreaksTheStream) {
  KvStream<KvRequest> stream;
  stream.feed("\xff\xff\xff\x7f");
  EXPECT_EQ(stream.next(), std::nullopt);
  EXPECT_TRUE(stream.is_broken());
  std::string good;
  append(good, requests().front());
  stream.feed(good);
  EXPECT_EQ(stream.next(), std::nullopt);
}

TEST(KvMessage, ThatIsNoneBreaksTheStream) {
  std::string good;
  append(good, requests().front());
  for (std::size_t cut = 1; cut <= good.size() - 4; ++cut) {
    // A whole frame of fewer bytes than its parts take.
    std::string bytes = good.substr(0, good.size() - cut);
    const auto length = static_cast<std::uint32_t>(bytes.size() - 4);
    bytes.replace(0, 4, reinterpret_cast<const char*>(&length), 4);
    KvStream<KvRequest> stream;
    stream.feed(bytes);
    EXPECT_EQ(stream.next(), std::nullopt) << cut;
    EXPECT_TRUE(stream.is_broken()) << cut;
  }
  for (const char kind : {'\0', '\6', '\xff'}) {
    std::string bytes = good;
    bytes[12] = kind;
    KvStream<KvRequest> stream;
    stream.feed(bytes);
    EXPECT_EQ(stream.next(), std::nullopt);
    EXPECT_TRUE(stream.is_broken());
  }
}

TEST(KvMessage, OfRandomBytesIsNeverMoreThanTheyAre) {
  std::mt19937 random(5);
  const std::vector<KvRequest> some = requests();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    append(bytes, some[static_cast<std::size_t>(round) % 3]);
    for (int changes = 0; changes < 3; ++changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    KvStream<KvRequest> stream;
    stream.feed(bytes);
    while (const std::optional<KvRequest> request = stream.next()) {
      EXPECT_LE(request->space.size() + request->key.size() + request->value.size(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace nur
