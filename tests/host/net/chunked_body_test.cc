#include "host/net/chunked_body.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace nur {
namespace {

struct Decoded {
  int status = 0;  // 0: complete; -1: needs more
  std::string body;
  std::size_t consumed = 0;
};

// `piece` bytes at a time; 0 is all at once.
Decoded decode(std::string_view bytes, std::size_t piece = 0, const HttpLimits& limits = {}) {
  ChunkedBody chunked;
  Decoded decoded;
  std::string waiting;
  while (true) {
    const std::size_t count = piece == 0 ? bytes.size() : std::min(piece, bytes.size());
    waiting += bytes.substr(0, count);
    bytes.remove_prefix(count);
    const ChunkedBody::Progress progress = chunked.decode(waiting, decoded.body, limits);
    decoded.consumed += progress.consumed;
    waiting.erase(0, progress.consumed);
    if (progress.step == ChunkedBody::Step::complete) return decoded;
    if (progress.step == ChunkedBody::Step::refused) {
      decoded.status = chunked.refusal().status;
      return decoded;
    }
    if (bytes.empty()) {
      decoded.status = -1;
      return decoded;
    }
  }
}

TEST(ChunkedBody, JoinsItsChunks) {
  const std::string bytes = "5\r\nhello\r\n1;a=b\r\n,\r\n0006\r\n world\r\n0\r\nX-T: 1\r\n\r\n";
  for (const std::size_t piece : {0, 1, 2, 3, 7}) {
    const Decoded decoded = decode(bytes + "NEXT", piece);
    EXPECT_EQ(decoded.status, 0) << piece;
    EXPECT_EQ(decoded.body, "hello, world");
    EXPECT_EQ(decoded.consumed, bytes.size());
  }
}

TEST(ChunkedBody, RefusesEveryOtherWayToWriteIt) {
  const std::string cases[] = {
      "5\nhello\r\n0\r\n\r\n",           // bare LF behind the size
      "5\r\nhello\n0\r\n\r\n",           // bare LF behind the data
      "5\r\nhello0\r\n\r\n",             // no CRLF behind the data
      "5\r\nhelloX\r\n0\r\n\r\n",        // longer than its size
      "5\r\nhello\r\n0\n\r\n",           // bare LF behind the last size
      "5\r\nhello\r\n0\r\n\n",           // bare LF at the end
      "\r\n",                            // no size
      ";x\r\n",                          // no size but an extension
      "0x5\r\nhello\r\n",                // prefix
      "+5\r\nhello\r\n",                 // sign
      "-1\r\n",                          // sign
      "g\r\n",                           // not hexadecimal
      " 5\r\nhello\r\n",                 // blank before
      "5 \r\nhello\r\n",                 // blank behind
      "5 ;a\r\nhello\r\n",               // blank before an extension
      "00000000000000005\r\nhello\r\n",  // 17 digits
      "10000000000000000\r\n",           // 2^64
      "5\rX\r\nhello\r\n",               // CR inside the line
      "5;a\rb\r\nhello\r\n",             // CR inside an extension
      std::string("5;\0\r\nhello\r\n", 12),
      "0\r\nX : 1\r\n\r\n",    // trailer: blank before the colon
      "0\r\n folded\r\n\r\n",  // trailer: folded
      "0\r\nX\r\n\r\n",        // trailer: no colon
      "0\r\nX: a\rb\r\n\r\n",  // trailer: CR inside
  };
  for (const std::string& bytes : cases) {
    EXPECT_EQ(decode(bytes).status, 400) << bytes;
    EXPECT_EQ(decode(bytes, 1).status, 400) << bytes;
  }
}

TEST(ChunkedBody, ExtensionsHaveALimit) {
  const HttpLimits limits;
  const std::string fits(limits.chunk_extension_bytes_max - 1, 'x');
  EXPECT_EQ(decode("1;" + fits + "\r\na\r\n0\r\n\r\n").status, 0);
  EXPECT_EQ(decode("1;" + fits + "x\r\na\r\n0\r\n\r\n").status, 400);
  EXPECT_EQ(decode("1;" + std::string(1000, 'x'), 1).status, 400);
}

TEST(ChunkedBody, SixteenDigitsAreTheMost) {
  EXPECT_EQ(decode("0000000000000005\r\nhello\r\n0\r\n\r\n").status, 0);
  EXPECT_EQ(decode("ffffffffffffffff\r\n").status, 413);
}

TEST(ChunkedBody, BodyHasALimit) {
  HttpLimits limits;
  limits.body_bytes_max = 8;
  EXPECT_EQ(decode("4\r\naaaa\r\n4\r\nbbbb\r\n0\r\n\r\n", 0, limits).status, 0);
  EXPECT_EQ(decode("4\r\naaaa\r\n5\r\n", 0, limits).status, 413);
}

TEST(ChunkedBody, TrailersHaveLimits) {
  const HttpLimits limits;
  std::string fields;
  for (std::size_t i = 0; i < limits.headers_max; ++i) fields += "X: y\r\n";
  EXPECT_EQ(decode("0\r\n" + fields + "\r\n").status, 0);
  EXPECT_EQ(decode("0\r\n" + fields + "X: y\r\n\r\n").status, 431);
  EXPECT_EQ(decode("0\r\nX: " + std::string(limits.head_bytes_max, 'y')).status, 431);
}

}  // namespace
}  // namespace nur
