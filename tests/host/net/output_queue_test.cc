#include "host/net/output_queue.h"

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "base/fd.h"

namespace nur {
namespace {

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    near = Fd(fds[0]);
    far = Fd(fds[1]);
  }
  std::string receive() const {
    std::string all(1 << 20, '\0');
    const ssize_t count = ::recv(far.get(), all.data(), all.size(), MSG_DONTWAIT);
    all.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return all;
  }
  Fd near;
  Fd far;
};

TEST(OutputQueue, SendsPiecesInOrderThroughBlocking) {
  const Pair pair;
  OutputQueue queue;
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string small = "small " + std::to_string(i) + "\n";
    const std::string large(static_cast<std::size_t>(20'000 + i), static_cast<char>('a' + i % 26));
    queue.tail() += small;
    queue.append(large);
    expected += small + large;
  }
  EXPECT_EQ(queue.bytes(), expected.size());

  std::string received;
  std::size_t sent = 0;
  int blocked = 0;
  while (queue.flush(pair.near.get(), sent) == OutputQueue::Flushed::blocked) {
    ++blocked;
    EXPECT_EQ(queue.bytes(), expected.size() - sent);
    received += pair.receive();
  }
  for (std::string more = pair.receive(); !more.empty(); more = pair.receive()) received += more;
  EXPECT_GT(blocked, 0);
  EXPECT_EQ(sent, expected.size());
  EXPECT_EQ(received, expected);
  EXPECT_TRUE(queue.empty());
}

TEST(OutputQueue, IsBrokenWhenNobodyListens) {
  Pair pair;
  pair.far.reset();
  OutputQueue queue;
  queue.tail() += "x";
  std::size_t sent = 0;
  EXPECT_EQ(queue.flush(pair.near.get(), sent), OutputQueue::Flushed::broken);
  EXPECT_EQ(sent, 0u);
}

}  // namespace
}  // namespace nur
