#include <array>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "host/abi/wasi/streams.h"

namespace nur {
namespace {

using wasi::Errno;
using wasi::EventType;

std::span<std::byte> bytes_of(std::string& text) {
  return std::as_writable_bytes(std::span(text.data(), text.size()));
}

wasi::WasiResult<std::size_t> write(WasiStream& stream, std::string text) {
  const std::array buffers = {std::as_bytes(bytes_of(text))};
  return stream.write(buffers);
}

TEST(NullStream, IsEmptyAndSwallowsEverything) {
  NullStream stream;
  std::string room(8, '.');
  const std::array buffers = {bytes_of(room)};

  EXPECT_EQ(stream.read(buffers).value(), 0u);
  EXPECT_EQ(write(stream, "12345").value(), 5u);
}

TEST(InputView, FillsBuffersInOrderAndEnds) {
  InputView stream("abcdefg");
  std::string first(3, '.');
  std::string second(2, '.');
  const std::array buffers = {bytes_of(first), bytes_of(second)};

  EXPECT_EQ(stream.bytes_ready(EventType::fd_read), 7u);
  EXPECT_EQ(stream.read(buffers).value(), 5u);
  EXPECT_EQ(first + second, "abcde");
  EXPECT_EQ(stream.read(buffers).value(), 2u);
  EXPECT_EQ(first + second, "fgcde");
  EXPECT_EQ(stream.read(buffers).value(), 0u);
}

TEST(InputView, RefusesWrites) {
  InputView stream("x");

  EXPECT_EQ(write(stream, "y").error(), Errno::badf);
}

TEST(CappedOutput, KeepsWhatIsWritten) {
  CappedOutput stream(100);

  EXPECT_EQ(write(stream, "hello ").value(), 6u);
  EXPECT_EQ(write(stream, "world").value(), 5u);
  EXPECT_EQ(stream.bytes(), "hello world");
  EXPECT_FALSE(stream.overflowed());
}

TEST(CappedOutput, TakesWhatFitsAndThenSaysNoSpace) {
  CappedOutput stream(8);

  EXPECT_EQ(write(stream, "12345").value(), 5u);
  EXPECT_EQ(write(stream, "67890").value(), 3u);
  EXPECT_EQ(write(stream, "x").error(), Errno::nospc);
  EXPECT_EQ(write(stream, "").value(), 0u);
  EXPECT_TRUE(stream.overflowed());
  EXPECT_EQ(stream.take(), "12345678");
}

TEST(CappedOutput, IsNotOverflowedByFillingItExactly) {
  CappedOutput stream(3);

  EXPECT_EQ(write(stream, "abc").value(), 3u);
  EXPECT_FALSE(stream.overflowed());
}

struct Lines {
  std::vector<std::string> seen;
  LineSink sink;
  Lines(std::size_t line_max, std::size_t bytes_max)
      : sink([this](std::string_view line) { seen.emplace_back(line); }, line_max, bytes_max) {}
};

TEST(LineSink, CutsAtLineFeedsAcrossWrites) {
  Lines lines(80, 1000);

  EXPECT_EQ(write(lines.sink, "one\ntw").value(), 6u);
  EXPECT_EQ(write(lines.sink, "o\n\nthree").value(), 8u);
  lines.sink.flush();

  EXPECT_EQ(lines.seen, (std::vector<std::string>{"one", "two", "", "three"}));
}

TEST(LineSink, HandsOnLongLinesInPieces) {
  Lines lines(4, 1000);

  EXPECT_TRUE(write(lines.sink, "abcd\nabcdefgh\nx\n"));

  EXPECT_EQ(lines.seen, (std::vector<std::string>{"abcd", "abcd", "efgh", "x"}));
}

TEST(LineSink, MakesNoEmptyLineOfALineFeedThatComesLater) {
  Lines lines(4, 1000);

  EXPECT_TRUE(write(lines.sink, "abcd"));
  EXPECT_TRUE(write(lines.sink, "\nrest\n"));

  EXPECT_EQ(lines.seen, (std::vector<std::string>{"abcd", "rest"}));
}

TEST(LineSink, DropsWhatIsPastItsCapAndLetsTheGuestGoOn) {
  Lines lines(80, 6);

  EXPECT_EQ(write(lines.sink, "one\ntwo\n").value(), 8u);
  lines.sink.flush();

  EXPECT_EQ(lines.seen, (std::vector<std::string>{"one", "tw"}));
  EXPECT_EQ(lines.sink.dropped_bytes(), 2u);
}

TEST(DescriptorStream, MovesBytesThroughAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  DescriptorStream input(reading.get());
  DescriptorStream output(writing.get());
  std::string room(16, '.');
  const std::array buffers = {bytes_of(room)};

  EXPECT_EQ(output.type(), wasi::FileType::unknown);
  EXPECT_EQ(write(output, "through").value(), 7u);
  EXPECT_EQ(input.read(buffers).value(), 7u);
  EXPECT_EQ(room.substr(0, 7), "through");
  writing.reset();
  EXPECT_EQ(input.read(buffers).value(), 0u);
}

TEST(DescriptorStream, PassesOnTheHostsError) {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  DescriptorStream stream(null.get());

  EXPECT_EQ(write(stream, "x").error(), Errno::badf);
}

}  // namespace
}  // namespace nur
