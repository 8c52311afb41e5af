// What master and worker say to each other survives the way, and whatever is no message is refused.
#include "host/process/message.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>

namespace nur {
namespace {

DeployMessage deploy() {
  return {.number = 7,
          .name = "hello",
          .file_name = "hello.so",
          .facts = {.file_bytes = 20'000,
                    .text_begin = 4096,
                    .text_end = 8192,
                    .load_end = 16'384,
                    .manifest_offset = 500,
                    .manifest_bytes = 900},
          .wants_profile = true};
}

const std::vector<Message>& one_of_each() {
  static const std::vector<Message> all{
      deploy(),      ServeMessage{}, DrainMessage{1000},
      StopMessage{}, ReadyMessage{}, RefusedMessage{3, "refused by rule memory"},
      StoreMessage{}};
  return all;
}

TEST(Message, IsWhatItWasBehindTheWay) {
  for (const Message& message : one_of_each()) {
    const Result<Message> got = decode_message(encode(message));
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, message);
    EXPECT_LE(encode(message).size(), kMessageBytesMax);
  }
}

TEST(Message, CutsLongTextsSoThatItFits) {
  DeployMessage message = deploy();
  message.name = std::string(100'000, 'n');
  message.file_name = std::string(100'000, 'f');

  const std::string bytes = encode(message);

  EXPECT_LE(bytes.size(), kMessageBytesMax);
  const Result<Message> got = decode_message(bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ(std::get<DeployMessage>(*got).name, std::string(kMessageTextBytesMax, 'n'));
}

TEST(Message, SaysHowManyDescriptorsComeWithIt) {
  EXPECT_EQ(descriptors_of(deploy()), 2U);
  DeployMessage plain = deploy();
  plain.wants_profile = false;
  EXPECT_EQ(descriptors_of(plain), 1U);
  EXPECT_EQ(descriptors_of(ServeMessage{}), 0U);
  EXPECT_EQ(descriptors_of(StoreMessage{}), 1U);
}

TEST(Message, RefusesOneThatIsCutAnywhere) {
  for (const Message& message : one_of_each()) {
    const std::string bytes = encode(message);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const Result<Message> got = decode_message(std::string_view(bytes).substr(0, length));
      ASSERT_FALSE(got) << length << " of " << bytes.size();
      EXPECT_EQ(got.error().kind, ErrorKind::invalid_input);
    }
  }
}

TEST(Message, RefusesBytesBehindOne) {
  for (const Message& message : one_of_each()) {
    EXPECT_FALSE(decode_message(encode(message) + '\0'));
  }
}

TEST(Message, RefusesKindsThatAreNone) {
  for (int kind = 0; kind < 256; ++kind) {
    if (kind >= 1 && kind <= 7) continue;
    EXPECT_FALSE(decode_message(std::string(1, static_cast<char>(kind)))) << kind;
  }
}

TEST(Message, RefusesTextsThatAreLongerThanAllowedOrThanWhatIsThere) {
  const std::string bytes = encode(RefusedMessage{3, "reason"});
  constexpr std::size_t kLengthAt = 5;
  for (const std::uint32_t length : {5U, 7U, 4097U, 0x7fffffffU, 0xffffffffU}) {
    std::string changed = bytes;
    std::memcpy(changed.data() + kLengthAt, &length, sizeof length);
    EXPECT_FALSE(decode_message(changed)) << length;
  }
}

TEST(Message, RefusesAFlagThatIsNeitherYesNorNo) {
  std::string bytes = encode(deploy());
  bytes[5] = 2;
  EXPECT_FALSE(decode_message(bytes));
}

TEST(Message, TakesEveryByteForWhatItMayBe) {
  std::mt19937 random(4);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = encode(one_of_each()[random() % one_of_each().size()]);
    for (int change = 0; change < 3; ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const Result<Message> got = decode_message(bytes);
    if (got) {
      EXPECT_EQ(encode(*got), bytes);
    }
  }
}

}  // namespace
}  // namespace nur
