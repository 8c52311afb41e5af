#include "base/artefact_file.h"

#include <cstring>
#include <elf.h>

#include <gtest/gtest.h>

#include "tests/support/craft_artefact.h"
#include "tests/support/elf_patch.h"

namespace nur {
namespace {

// FIPS 180-2, appendix B.1.
TEST(Sha256, IsThatOfTheStandardsExample) {
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Seal, GivesBackWhatItSealed) {
  const std::string file = seal("contents");
  EXPECT_EQ(file.size(), 8 + kSealBytes);
  const Result<std::string_view> elf = unseal(file);
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(*elf, "contents");
  EXPECT_EQ(unseal(seal("")).value_or("?"), "");
}

TEST(Seal, RefusesFilesThatAreTooShort) {
  EXPECT_FALSE(unseal(""));
  EXPECT_FALSE(unseal(seal("").substr(1)));
}

TEST(Seal, RefusesAFileCutAnywhere) {
  const std::string file = seal("contents");
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes) {
    EXPECT_FALSE(unseal(file.substr(0, bytes))) << bytes;
  }
}

TEST(Seal, RefusesBytesBehindIt) { EXPECT_FALSE(unseal(seal("contents") + "x")); }

TEST(Seal, SaysWhatToDoAboutOtherFiles) {
  const std::string file = seal("contents");
  std::string changed = file;
  changed[0] = 'C';
  EXPECT_NE(unseal(changed).error().message.find("of other bytes"), std::string::npos);
  EXPECT_NE(unseal(std::string(100, 'x')).error().message.find("no seal"), std::string::npos);
}

TEST(FindSection, IsEmptyWhenThereIsNone) {
  EXPECT_TRUE(find_section(test::good_elf(), kFunctionsSection).empty());
  EXPECT_TRUE(find_section("", kFunctionsSection).empty());
  EXPECT_TRUE(find_section(std::string(1000, 'x'), kFunctionsSection).empty());
}

TEST(FindSection, DoesNotNeedAlignedBytes) {
  const std::string shifted = "x" + test::good_elf();
  const std::string_view text = find_section(std::string_view(shifted).substr(1), ".text");
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text, find_section(test::good_elf(), ".text"));
}

TEST(FindSection, IsEmptyWhenTheFileLies) {
  const auto found = [](auto change) {
    test::ElfPatch patch(test::good_elf());
    patch.header(change);
    return !find_section(patch.bytes(), ".text").empty();
  };
  EXPECT_TRUE(found([](Elf64_Ehdr&) {}));
  EXPECT_FALSE(found([](Elf64_Ehdr& h) { h.e_shoff = ~std::uint64_t{0}; }));
  EXPECT_FALSE(found([](Elf64_Ehdr& h) { h.e_shnum = 0; }));
  EXPECT_FALSE(found([](Elf64_Ehdr& h) { h.e_shnum = 0xfe00; }));
  EXPECT_FALSE(found([](Elf64_Ehdr& h) { h.e_shentsize = 1; }));
  EXPECT_FALSE(found([](Elf64_Ehdr& h) { h.e_shstrndx = 0x1000; }));

  for (const std::uint64_t offset : {~std::uint64_t{0}, std::uint64_t{1} << 40}) {
    test::ElfPatch patch(test::good_elf());
    const auto header = patch.read<Elf64_Ehdr>(0);
    for (std::size_t i = 1; i < header.e_shnum; ++i) {
      const std::size_t at = header.e_shoff + i * sizeof(Elf64_Shdr);
      auto section = patch.read<Elf64_Shdr>(at);
      if (section.sh_type != SHT_PROGBITS) continue;
      section.sh_offset = offset;
      patch.write(at, section);
    }
    EXPECT_TRUE(find_section(patch.bytes(), ".text").empty()) << offset;
  }
}

}  // namespace
}  // namespace nur
