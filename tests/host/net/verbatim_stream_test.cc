#include "host/net/verbatim_stream.h"

#include <gtest/gtest.h>

#include "host/net/response_parser.h"

namespace nur {
namespace {

using Client = VerbatimStream::Client;

constexpr std::string_view kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

struct Passed {
  std::string out;
  bool refused = false;
  bool whole = false;
  bool keeps_alive = false;
};

// What the client gets of `bytes`, written in pieces of `piece` bytes.
Passed pass(std::string_view bytes, std::size_t piece, const Client& client) {
  ResponseWriter writer;
  VerbatimStream stream(client);
  Passed passed;
  for (std::size_t at = 0; at < bytes.size() && !passed.refused; at += piece) {
    passed.refused = !stream.write(bytes.substr(at, piece), writer, passed.out);
  }
  passed.whole = !passed.refused && stream.finish().has_value();
  passed.keeps_alive = stream.keeps_alive();
  return passed;
}

const Client kClient{"GET", false, true};

std::string dated(std::string_view rest) {
  return "HTTP/1.1 200 OK\r\n" + std::string(kDate) + std::string(rest);
}

TEST(VerbatimStream, GivesTheSameHoweverItIsCut) {
  const std::string cases[] = {
      dated("Content-Length: 5\r\n\r\nhello"),
      dated("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n"),
      dated("\r\nuntil the end"),
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + dated("Content-Length: 1\r\n\r\nx"),
      dated("Connection: close\r\nContent-Length: 0\r\n\r\n"),
  };
  for (const std::string& bytes : cases) {
    const Passed whole = pass(bytes, bytes.size(), kClient);
    EXPECT_TRUE(whole.whole) << bytes;
    for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
      const Passed cut = pass(bytes, piece, kClient);
      EXPECT_EQ(cut.out, whole.out) << piece;
      EXPECT_TRUE(cut.whole) << piece;
      EXPECT_EQ(cut.keeps_alive, whole.keeps_alive) << piece;
    }
  }
}

TEST(VerbatimStream, PassesAWholeResponseUnchanged) {
  const std::string bytes = dated("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  const Passed passed = pass(bytes, 7, kClient);
  EXPECT_EQ(passed.out, bytes);
  EXPECT_TRUE(passed.keeps_alive);
}

TEST(VerbatimStream, SaysThatTheConnectionWillClose) {
  EXPECT_NE(pass(dated("\r\nbody"), 100, kClient).out.find("Connection: close\r\n"),
            std::string::npos);
  const Passed asked = pass(dated("Content-Length: 0\r\n\r\n"), 100, {"GET", false, false});
  EXPECT_NE(asked.out.find("Connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(asked.keeps_alive);
}

TEST(VerbatimStream, SparesOldClientsChunksAndInformation) {
  const Passed passed = pass("HTTP/1.1 100 Continue\r\n\r\n" +
                                 dated("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
                             3, {"GET", true, true});
  EXPECT_TRUE(passed.whole);
  EXPECT_FALSE(passed.keeps_alive);
  EXPECT_TRUE(passed.out.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(passed.out.ends_with("Connection: close\r\n\r\nhello")) << passed.out;
  EXPECT_EQ(passed.out.find("chunked"), std::string::npos);
}

TEST(VerbatimStream, SendsHeadNoBody) {
  const Passed passed = pass(dated("Content-Length: 5\r\n\r\nhello"), 100, {"HEAD", false, true});
  EXPECT_TRUE(passed.whole);
  EXPECT_EQ(passed.out, dated("Content-Length: 5\r\n\r\n"));
  EXPECT_FALSE(passed.keeps_alive);
}

TEST(VerbatimStream, RefusesWhatIsNoResponse) {
  for (const std::string& bytes :
       {std::string("hello\r\n\r\n"), std::string("HTTP/1.1 200 OK\n\n"),
        std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        dated("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        dated("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(40 << 10, 'x') + "\r\n\r\n"}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, bytes.size()}) {
      const Passed passed = pass(bytes, piece, kClient);
      EXPECT_TRUE(passed.refused) << bytes.substr(0, 60);
      EXPECT_EQ(passed.out, "") << "another answer can still be given";
    }
  }
}

TEST(VerbatimStream, RefusesChunksThatAreNone) {
  const Passed passed =
      pass(dated("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"), 4, kClient);
  EXPECT_TRUE(passed.refused);
  EXPECT_TRUE(passed.out.ends_with("hello\r\n") || passed.out.ends_with("hello")) << passed.out;
}

TEST(VerbatimStream, IsNotWholeBeforeItsEnd) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1 200 OK\r\n"), dated("Content-Length: 5\r\n\r\nhell"),
        dated("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")}) {
    EXPECT_FALSE(pass(bytes, 100, kClient).whole) << bytes;
  }
}

}  // namespace
}  // namespace nur
