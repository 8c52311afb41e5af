// Mutated requests: nothing crashes, and however the bytes are cut the outcome is the same.
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "host/net/response_parser.h"
#include "tests/host/net/parse_all.h"

namespace nur {
namespace {

const std::string kSeeds[] = {
    "GET /hello?x=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: "
    "b\r\n\r\n",
    "PUT /c HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n4;x\r\nwiki\r\n0\r\nT: "
    "1\r\n\r\n"
    "GET / HTTP/1.0\r\n\r\n",
    "POST http://a/b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
};

const std::string kResponses[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
    "chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
};

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }

  void mutate(std::string& bytes) {
    static const std::string kPieces[] = {"\r\n",
                                          "\n",
                                          "\r",
                                          " ",
                                          "\t",
                                          ":",
                                          ",",
                                          "\r\n\r\n",
                                          "0",
                                          "f",
                                          ";",
                                          "chunked",
                                          "Content-Length: 3\r\n",
                                          "Transfer-Encoding: chunked\r\n",
                                          std::string(1, '\0'),
                                          "\xff"};
    for (std::size_t i = 1 + below(4); i > 0 && !bytes.empty(); --i) {
      const std::size_t at = below(bytes.size());
      switch (below(5)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.erase(at, 1 + below(3));
          break;
        case 2:
          bytes.insert(at, kPieces[below(std::size(kPieces))]);
          break;
        case 3:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(40)));
          break;
        default:
          bytes.resize(at);
          break;
      }
    }
  }

 private:
  std::mt19937 random_;
};

TEST(HttpParserFuzz, MutatedRequestsParseAlikeHoweverCut) {
  Mutator mutator(20'240'607);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = kSeeds[mutator.below(std::size(kSeeds))];
    mutator.mutate(bytes);
    const Parsed whole = parse_all(bytes);
    accepted += whole.requests.size();
    refused += whole.status != 0;
    if (!bytes.empty()) {
      std::vector<std::size_t> cuts{mutator.below(bytes.size()), mutator.below(bytes.size())};
      std::ranges::sort(cuts);
      ASSERT_EQ(describe(parse_all(bytes, cuts)), describe(whole)) << bytes;
      ASSERT_EQ(describe(parse_all(bytes, every_byte(bytes))), describe(whole)) << bytes;
    }
    for (const Request& request : whole.requests) {
      ASSERT_EQ(request.head.find('\0'), std::string::npos);
      ASSERT_TRUE(request.path.starts_with('/') || request.path == "*") << bytes;
      for (const FieldView& header : request.headers) {
        ASSERT_TRUE(is_token(header.name)) << bytes;
        ASSERT_TRUE(is_field_value(header.value)) << bytes;
      }
    }
  }
  // The mutations are neither all fatal nor all harmless.
  EXPECT_GT(accepted, 20'000u);
  EXPECT_GT(refused, 20'000u);
}

TEST(HttpParserFuzz, MutatedResponsesStayWithinTheirBytes) {
  Mutator mutator(7);
  std::size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = kResponses[mutator.below(std::size(kResponses))];
    mutator.mutate(bytes);
    const auto parsed = parse_response(bytes, round % 2 == 0 ? "GET" : "HEAD");
    if (!parsed) continue;
    ++accepted;
    ASSERT_LE(parsed->bytes, bytes.size());
    ASSERT_GE(parsed->status, 200);
  }
  EXPECT_GT(accepted, 10'000u);
}

}  // namespace
}  // namespace nur
