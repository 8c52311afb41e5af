#include "host/serve/registry.h"

#include <gtest/gtest.h>

#include "tests/host/serve/load_registry.h"
#include "tests/support/guest.h"

namespace nur {
namespace {

constexpr std::string_view kTyped = "(module (memory 2) (func (export \"run\")))";

class RegistryTest : public ::testing::Test {
 protected:
  void put(const std::string& name, std::string_view bytes) {
    ASSERT_TRUE(write_file(folder_.path() / name, bytes));
  }
  void put_artefact(const std::string& name) {
    std::filesystem::copy_file(test::artefact_of(kTyped), folder_.path() / name);
  }
  Result<Registry> load(const FunctionLimits& limits = {}) {
    return test::load_registry(
        {folder_.path()}, limits, [&](const Path& file, const Error& reason) {
          refused_.push_back(file.filename().string() + ": " + reason.message);
        });
  }

  ScratchDir folder_ = *ScratchDir::create("nur-registry-");
  std::vector<std::string> refused_;
};

TEST_F(RegistryTest, ServesEveryArtefactOfAFolderByItsStem) {
  put_artefact("b.so");
  put_artefact("a.so");
  put("notes.txt", "not looked at");

  const Result<Registry> registry = load();

  ASSERT_TRUE(registry);
  EXPECT_EQ(registry->names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(registry->find("a"), nullptr);
  EXPECT_EQ(registry->find("c"), nullptr);
  EXPECT_TRUE(refused_.empty());
}

TEST_F(RegistryTest, RefusesABadFileByNameAndRuleAndServesTheOthers) {
  put_artefact("good.so");
  put("bad.so", "no artefact at all");

  const Result<Registry> registry = load();

  ASSERT_TRUE(registry);
  EXPECT_EQ(registry->names(), std::vector<std::string>{"good"});
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].rfind("bad.so: refused by rule digest", 0), 0U) << refused_[0];
}

TEST_F(RegistryTest, RefusesASecondFileOfOneName) {
  put_artefact("a.so");

  const Result<Registry> registry = test::load_registry(
      {folder_.path(), folder_.path() / "a.so"}, FunctionLimits{},
      [&](const Path&, const Error& reason) { refused_.push_back(reason.message); });

  ASSERT_TRUE(registry);
  EXPECT_EQ(registry->size(), 1U);
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].rfind("refused by rule name", 0), 0U);
}

TEST_F(RegistryTest, RefusesAFunctionThatNeedsMoreMemoryThanAllowed) {
  put_artefact("a.so");
  FunctionLimits limits;
  limits.sandbox.memory_bytes_max = 65536;

  const Result<Registry> registry = load(limits);

  ASSERT_TRUE(registry);
  EXPECT_EQ(registry->size(), 0U);
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0],
            "a.so: refused by rule memory: needs 128KiB to start with, the limit is 64KiB "
            "(--memory-max)");
}

TEST_F(RegistryTest, FailsForAPathThatIsNotThere) {
  const Result<Registry> registry = test::load_registry(
      {folder_.path() / "nowhere"}, FunctionLimits{}, [](const Path&, const Error&) {});

  ASSERT_FALSE(registry);
  EXPECT_EQ(registry.error().kind, ErrorKind::not_found);
}

TEST_F(RegistryTest, AFunctionReachesNoAddressOfThisMachineThatNoRuleNames) {
  put_artefact("a.so");
  FunctionSettings settings;
  settings.outbound = {"*:443"};
  settings.own_addresses = {*parse_ip("93.184.216.34")};
  std::unique_ptr<Function> function;
  const auto take = [&](const std::string& name, const Path&, VerifiedArtefact artefact) {
    function = *Function::load(name, std::move(artefact), settings);
  };
  ASSERT_TRUE(verify_artefacts({}, {folder_.path()}, take, [](const Path&, const Error&) {}));
  ASSERT_NE(function, nullptr);
  const auto permits = [&](std::string_view target) {
    const Target parsed = *parse_target(target);
    return function->outbound().permits(parsed, *parsed.literal);
  };
  EXPECT_FALSE(permits("93.184.216.34:443"));
  EXPECT_TRUE(permits("93.184.216.35:443"));
}

}  // namespace
}  // namespace nur
