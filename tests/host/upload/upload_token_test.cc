#include "host/upload/upload_token.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/host/serve/fake_exchange.h"

namespace nur {
namespace {

using test::FakeExchange;
using Check = UploadToken::Check;

constexpr std::string_view kText = "0123456789abcdef+/==";

Check check(std::vector<FieldView> headers) {
  const Result<UploadToken> token = UploadToken::of(kText);
  EXPECT_TRUE(token);
  FakeExchange exchange("GET", "/");
  exchange.request_.headers = std::move(headers);
  return token->check(exchange.request());
}

TEST(UploadToken, IsWhatABearerHas) {
  EXPECT_EQ(check({{"Authorization", "Bearer 0123456789abcdef+/=="}}), Check::right);
  EXPECT_EQ(check({{"authorization", "bEARER 0123456789abcdef+/=="}}), Check::right);
  EXPECT_EQ(check({{"Host", "x"}, {"Authorization", "Bearer  0123456789abcdef+/=="}}),
            Check::right);
}

TEST(UploadToken, IsMissingWithoutItsHeader) {
  EXPECT_EQ(check({}), Check::missing);
  EXPECT_EQ(check({{"X-Authorization", "Bearer 0123456789abcdef+/=="}}), Check::missing);
}

TEST(UploadToken, IsWrongInEveryOtherWay) {
  const std::string long_one = "Bearer " + std::string(100'000, 'a');
  for (const char* value :
       {"", "Bearer", "Bearer ", "Bearer 0", "0123456789abcdef+/==", "Basic 0123456789abcdef+/==",
        "Bearer 0123456789abcdef+/=", "Bearer 0123456789abcdef+/===",
        "Bearer 0123456789abcdef+/= =", "Bearer 0123456789ABCDEF+/==",
        "Bearer 1123456789abcdef+/==", "Bearer\t0123456789abcdef+/==", long_one.c_str()}) {
    EXPECT_EQ(check({{"Authorization", value}}), Check::wrong) << value;
  }
}

TEST(UploadToken, IsWrongWhenThereAreTwo) {
  const FieldView right{"Authorization", "Bearer 0123456789abcdef+/=="};
  EXPECT_EQ(check({right, right}), Check::wrong);
  EXPECT_EQ(check({{"Authorization", "Bearer x"}, right}), Check::wrong);
}

TEST(UploadToken, RefusesTextsThatAreNone) {
  const std::string too_long(UploadToken::kBytesMax + 1, 'a');
  for (const std::string& text : {std::string(), std::string("\n"), std::string("0123456789abcde"),
                                  std::string("0123456789abcde\n"), std::string("two words of it"),
                                  std::string("01234567 9abcdef"), std::string("0123456\n89abcdef"),
                                  std::string("0123456789abcde\x7f"), std::string(32, '\0'),
                                  std::string("0123456789abcd\xc3\xa9"), too_long}) {
    const Result<UploadToken> token = UploadToken::of(text);
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().kind, ErrorKind::invalid_input);
    EXPECT_NE(token.error().message.find("/dev/urandom"), std::string::npos);
  }
  EXPECT_TRUE(UploadToken::of("0123456789abcdef"));
  EXPECT_TRUE(UploadToken::of("0123456789abcdef\r\n"));
  EXPECT_TRUE(UploadToken::of(std::string(UploadToken::kBytesMax, 'a')));
}

class UploadTokenFileTest : public ::testing::Test {
 protected:
  Result<UploadToken> read(mode_t mode, std::string_view text = "0123456789abcdef\n") {
    std::filesystem::remove(file_);  // the one before may be closed to its owner
    EXPECT_TRUE(write_file(file_, text));
    EXPECT_EQ(::chmod(file_.c_str(), mode), 0);
    return UploadToken::read(file_);
  }
  ScratchDir folder_ = *ScratchDir::create("upload-token");
  Path file_ = folder_.path() / "token";
};

TEST_F(UploadTokenFileTest, IsReadFromAFileOfOnesOwn) {
  EXPECT_TRUE(read(0600));
  EXPECT_TRUE(read(0400));
  EXPECT_TRUE(read(0640));
}

TEST_F(UploadTokenFileTest, RefusesAFileThatOthersCanReadOrChange) {
  for (const mode_t mode : {0604, 0644, 0602, 0620, 0601, 0666, 0777}) {
    const Result<UploadToken> token = read(mode);
    ASSERT_FALSE(token) << mode;
    EXPECT_NE(token.error().message.find("chmod 600 " + file_.string()), std::string::npos);
  }
}

TEST_F(UploadTokenFileTest, NamesTheFileThatHoldsNone) {
  for (const std::string& text : {std::string(), std::string("short\n"), std::string(5000, 'a')}) {
    const Result<UploadToken> token = read(0600, text);
    ASSERT_FALSE(token) << text.size();
    EXPECT_TRUE(token.error().message.starts_with(file_.string() + ": a token of 16 to 1024"))
        << token.error().message;
  }
}

TEST_F(UploadTokenFileTest, NamesTheFileThatIsNotThereOrNone) {
  const Result<UploadToken> missing = UploadToken::read(folder_.path() / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_NE(missing.error().message.find("missing"), std::string::npos);
  const Result<UploadToken> folder = UploadToken::read(folder_.path());
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("not a regular file"), std::string::npos);
  ASSERT_EQ(::mkfifo((folder_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(UploadToken::read(folder_.path() / "pipe"));
}

}  // namespace
}  // namespace nur
