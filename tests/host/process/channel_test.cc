// Messages and descriptors between two ends, and what happens when one of them misbehaves.
#include "host/process/channel.h"

#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/file.h"

namespace nur {
namespace {

struct Ends {
  std::pair<Channel, Channel> pair = *Channel::make_pair();
  Channel& master = pair.first;
  Channel& worker = pair.second;
};

TEST(Channel, DeliversAMessageWithItsDescriptor) {
  Ends ends;
  const Fd file = *sealed_memfd("file", "contents");
  ASSERT_EQ(
      ends.master.send(DeployMessage{.number = 3, .name = "f", .file_name = "f.so", .facts = {}},
                       {file.get()}),
      Channel::Sent::yes);

  const Result<Channel::Received> got = ends.worker.receive_waiting();

  ASSERT_TRUE(got);
  EXPECT_EQ(std::get<DeployMessage>(got->message).number, 3U);
  ASSERT_EQ(got->descriptors.size(), 1U);
  char text[8];
  EXPECT_EQ(::pread(got->descriptors[0].get(), text, sizeof text, 0), 8);
  EXPECT_EQ(std::string_view(text, 8), "contents");
  EXPECT_NE(::fcntl(got->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Channel, HasNothingWhenNothingWasSent) {
  Ends ends;
  const auto got = ends.master.receive();
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->has_value());
}

TEST(Channel, SaysThatTheOtherEndIsGone) {
  Ends ends;
  ends.worker.close();

  const auto got = ends.master.receive();

  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::not_found);
  EXPECT_EQ(ends.master.send(DrainMessage{}), Channel::Sent::peer_gone);
}

TEST(Channel, HasNoRoomRatherThanWaiting) {
  Ends ends;
  int sent = 0;
  Channel::Sent last = Channel::Sent::yes;
  while (last == Channel::Sent::yes && sent < 1'000'000) {
    last = ends.worker.send(RefusedMessage{1, std::string(4096, 'x')});
    ++sent;
  }
  EXPECT_EQ(last, Channel::Sent::no_room);
  ASSERT_TRUE(ends.master.receive());
}

TEST(Channel, RefusesWhatIsNoMessageAndWhatIsTooLong) {
  Ends ends;
  for (const std::string& bytes :
       {std::string("\xff\xff"), std::string(kMessageBytesMax + 1, 'x')}) {
    ASSERT_EQ(::send(ends.worker.descriptor(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    const auto got = ends.master.receive();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::invalid_input);
  }
}

TEST(Channel, RefusesAMessageWithoutItsDescriptor) {
  Ends ends;
  const std::string bytes =
      encode(DeployMessage{.number = 3, .name = "f", .file_name = "f.so", .facts = {}});
  ASSERT_EQ(::send(ends.worker.descriptor(), bytes.data(), bytes.size(), 0),
            static_cast<ssize_t>(bytes.size()));

  const auto got = ends.master.receive();

  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "a message with 0 descriptors instead of 1");
}

TEST(Channel, ClosesDescriptorsThatNobodyAskedFor) {
  Ends ends;
  const Fd file = *sealed_memfd("file", "contents");
  const std::string bytes = encode(ReadyMessage{});
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = file.get();
  std::memcpy(CMSG_DATA(rights), &number, sizeof number);
  ASSERT_GT(::sendmsg(ends.worker.descriptor(), &header, 0), 0);
  const Fd next_before(::dup(0));

  EXPECT_FALSE(ends.master.receive());

  const Fd next_after(::dup(0));
  EXPECT_EQ(next_after.get(), next_before.get() + 1);
}

}  // namespace
}  // namespace nur
