#include "host/config/serverless_toml.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

TomlFile file_of(std::string_view text) { return TomlFile::parse(text, "config.toml").value(); }

std::string refusal_of(std::string_view text) {
  const Result<ServerlessToml> read = read_serverless_toml(file_of(text));
  return read ? "taken" : read.error().message;
}

constexpr std::string_view kHello =
    "[[applications]]\nfile_path = \"./a.wasm\"\nmethod = \"GET\"\nurl_path = \"/hello\"\n";

TEST(ServerlessToml, ReadsEveryKey) {
  const Result<ServerlessToml> read = read_serverless_toml(
      file_of("listen_address = \"127.0.0.1:8080\"\n" + std::string(kHello) +
              "function = \"hello\"\nenv = { \"/env/backend\"= \"127.0.0.1:8181\"}\n"));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->listen_address, "127.0.0.1:8080");
  ASSERT_EQ(read->applications.size(), 1U);
  const ServerlessApplication& application = read->applications[0];
  EXPECT_EQ(application.module, "a.wasm");
  EXPECT_EQ(application.route.method, "GET");
  EXPECT_EQ(application.route.target, "/hello");
  EXPECT_EQ(application.route.entry, "hello");
  EXPECT_EQ(application.route.environment.at("/env/backend"), "127.0.0.1:8181");
}

TEST(ServerlessToml, NeedsNeitherFunctionNorEnvironmentNorAddress) {
  const Result<ServerlessToml> read = read_serverless_toml(file_of(kHello));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(read->listen_address);
  EXPECT_FALSE(read->applications[0].route.entry);
}

TEST(ServerlessToml, RefusesUnknownKeysAndSaysWhatWasMeant) {
  EXPECT_EQ(refusal_of("listen_adress = \"127.0.0.1:80\""),
            "config.toml:1:1: unknown key `listen_adress`; did you mean `listen_address`?");
  EXPECT_EQ(refusal_of(std::string(kHello) + "environment = {}"),
            "config.toml:5:1: unknown key `environment`; did you mean `env`?");
  EXPECT_EQ(refusal_of(std::string(kHello) + "timeout = 1"),
            "config.toml:5:1: unknown key `timeout`; known here: file_path, method, url_path, "
            "function, env");
}

TEST(ServerlessToml, RefusesValuesOfAnotherKind) {
  EXPECT_EQ(refusal_of("listen_address = 8080"),
            "config.toml:1:18: `listen_address` is a text, not a whole number");
  EXPECT_EQ(refusal_of("[applications]\n"),
            "config.toml:1:1: `applications` is a list of tables, not a table");
  EXPECT_EQ(refusal_of(std::string(kHello) + "env = { a = 1 }"),
            "config.toml:5:13: `a` is a text, not a whole number");
  EXPECT_EQ(refusal_of(std::string(kHello) + "function = []"),
            "config.toml:5:12: `function` is a text, not a list");
}

TEST(ServerlessToml, RefusesAddressesAndPathsThatCannotBe) {
  EXPECT_TRUE(refusal_of("listen_address = \"example.test:80\"").starts_with("config.toml:1:18: "));
  EXPECT_EQ(refusal_of("[[applications]]\nfile_path = \"a\"\nmethod = \"GET\"\nurl_path = \"a\""),
            "config.toml:4:12: `url_path` begins with /");
}

TEST(ServerlessToml, RefusesApplicationsThatLackAKey) {
  EXPECT_EQ(refusal_of("[[applications]]\nfile_path = \"a\"\nmethod = \"GET\"\n"),
            "config.toml:1:1: an application without `url_path`");
}

TEST(ServerlessToml, IsToldFromOurOwnByItsKeys) {
  EXPECT_TRUE(is_serverless_toml(file_of(kHello)));
  EXPECT_TRUE(is_serverless_toml(file_of("listen_adress = \"a\"")));
  EXPECT_FALSE(is_serverless_toml(file_of("[function.a]\n")));
  EXPECT_FALSE(is_serverless_toml(file_of("")));
}

}  // namespace
}  // namespace nur
