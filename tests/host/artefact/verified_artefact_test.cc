// What one process has verified and another one is handed.
#include "host/artefact/verified_artefact.h"

#include <functional>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "host/artefact/loaded_module.h"
#include "tests/support/craft_artefact.h"

namespace nur {
namespace {

class VerifiedArtefactTest : public ::testing::Test {
 protected:
  VerifiedArtefact read() {
    const Path file = folder_.path() / "module.so";
    EXPECT_TRUE(write_file(file, test::good_artefact()));
    Result<VerifiedArtefact> artefact = VerifiedArtefact::read(file);
    EXPECT_TRUE(artefact);
    return *std::move(artefact);
  }
  // The message, of the good file with facts that `change` has altered.
  std::string refusal_of(const std::function<void(ArtefactFacts&)>& change) {
    VerifiedArtefact artefact = read();
    change(artefact.facts);
    const auto adopted =
        VerifiedArtefact::adopt("module.so", std::move(artefact.file), artefact.facts);
    return adopted ? "adopted" : adopted.error().message;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-verified-");
};

TEST_F(VerifiedArtefactTest, IsTheSameWhereItIsAdopted) {
  VerifiedArtefact artefact = read();
  const Manifest manifest = artefact.manifest;

  auto adopted = VerifiedArtefact::adopt("module.so", std::move(artefact.file), artefact.facts);

  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_EQ(adopted->manifest, manifest);
  EXPECT_EQ(adopted->facts, artefact.facts);
  EXPECT_TRUE(LoadedModule::load(*std::move(adopted)));
}

TEST_F(VerifiedArtefactTest, RefusesFactsThatCannotBeOfTheFile) {
  const std::string expected = "module.so: what is said of the file cannot be";
  EXPECT_EQ(refusal_of([](ArtefactFacts& facts) { ++facts.file_bytes; }), expected);
  EXPECT_EQ(refusal_of([](ArtefactFacts& facts) { facts.file_bytes = 0; }), expected);
  EXPECT_EQ(refusal_of([](ArtefactFacts& facts) { facts.text_end = facts.text_begin; }), expected);
  EXPECT_EQ(refusal_of([](ArtefactFacts& facts) { facts.load_end = facts.text_end - 1; }),
            expected);
  EXPECT_EQ(refusal_of([](ArtefactFacts& facts) { facts.manifest_offset = facts.file_bytes; }),
            expected);
  EXPECT_EQ(refusal_of([](ArtefactFacts& facts) { facts.manifest_bytes = ~std::uint64_t{0}; }),
            expected);
}

TEST_F(VerifiedArtefactTest, RefusesAManifestThatIsNotWhereItIsSaidToBe) {
  EXPECT_NE(refusal_of([](ArtefactFacts& facts) { ++facts.manifest_offset; }).find("module.so: "),
            std::string::npos);
}

TEST_F(VerifiedArtefactTest, RefusesAFileThatCanStillBeChanged) {
  const VerifiedArtefact artefact = read();
  Fd open(::memfd_create("open", MFD_ALLOW_SEALING));
  const std::string& bytes = test::good_artefact();
  ASSERT_EQ(::write(open.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));

  const auto adopted = VerifiedArtefact::adopt("module.so", std::move(open), artefact.facts);

  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().message, "module.so: the memory file is not sealed");
}

}  // namespace
}  // namespace nur
