#include "base/artefact_file.h"

#include <cstring>
#include <elf.h>

#include <gtest/gtest.h>

#include "tests/support/craft_artefact.h"
#include "tests/support/elf_patch.h"

namespace nur {
namespace {

bool operator==(const FunctionRange& a, const FunctionRange& b) {
  return a.address == b.address && a.bytes == b.bytes && a.wasm_index == b.wasm_index &&
         a.name == b.name;
}

const std::vector<FunctionRange>& some_ranges() {
  static const std::vector<FunctionRange> ranges{
      {.address = 0x1000, .bytes = 16, .wasm_index = 4, .name = "main"},
      {.address = 0x1010, .bytes = 0, .wasm_index = 5, .name = ""},
      {.address = 0x1010, .bytes = 32, .wasm_index = 2, .name = "a\nb"}};
  return ranges;
}

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

TEST(FunctionRanges, ComeBackSortedByAddress) {
  const std::vector<FunctionRange> shuffled{some_ranges()[1], some_ranges()[2], some_ranges()[0]};
  const auto ranges = decode_function_ranges(encode_function_ranges(shuffled));
  ASSERT_TRUE(ranges) << ranges.error().message;
  ASSERT_EQ(ranges->size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE((*ranges)[i] == some_ranges()[i]) << i;
}

TEST(FunctionRanges, MayBeNone) {
  const auto ranges = decode_function_ranges(encode_function_ranges({}));
  ASSERT_TRUE(ranges) << ranges.error().message;
  EXPECT_TRUE(ranges->empty());
}

TEST(FunctionRanges, RefuseASectionCutAnywhereOrTooLong) {
  const std::string section = encode_function_ranges(some_ranges());
  for (std::size_t bytes = 0; bytes < section.size(); ++bytes) {
    EXPECT_FALSE(decode_function_ranges(std::string_view(section).substr(0, bytes))) << bytes;
  }
  EXPECT_FALSE(decode_function_ranges(section + "x"));
}

// Offsets in the section: magic 0, version 4, count 8, bytes of names 12, entries of 20 from 16.
TEST(FunctionRanges, RefuseEveryFieldThatDoesNotFit) {
  const auto with = [](std::size_t offset, std::uint32_t value) {
    std::string section = encode_function_ranges(some_ranges());
    std::memcpy(section.data() + offset, &value, sizeof value);
    const auto ranges = decode_function_ranges(section);
    return ranges ? std::string() : ranges.error().message;
  };
  EXPECT_NE(with(0, 0).find("wrong magic"), std::string::npos);
  EXPECT_NE(with(4, 2).find("version"), std::string::npos);
  EXPECT_NE(with(8, 0xffffffff).find("length"), std::string::npos);
  EXPECT_NE(with(8, 2).find("length"), std::string::npos);
  EXPECT_NE(with(12, 0xffffffff).find("length"), std::string::npos);
  EXPECT_NE(with(16, 0x1008).find("overlap"), std::string::npos);
  EXPECT_NE(with(16 + 8, 17).find("overlap"), std::string::npos);
  EXPECT_NE(with(16 + 16, 0xffffffff).find("name outside"), std::string::npos);
  EXPECT_NE(with(16 + 40 + 16, 4).find("name outside"), std::string::npos);
  EXPECT_NE(with(16 + 40 + 16, 2).find("belong to no function"), std::string::npos);
}

TEST(FunctionRanges, RefuseAnEndThatWraps) {
  std::vector<FunctionRange> ranges = {some_ranges()[0]};
  ranges[0].address = ~std::uint64_t{0} - 15;
  EXPECT_FALSE(decode_function_ranges(encode_function_ranges(ranges)));
}

TEST(FindSection, ReadsFunctionRangesOutOfAnArtefact) {
  test::ArtefactRecipe recipe;
  recipe.functions = some_ranges();
  const std::string elf = test::craft_elf(recipe);
  const auto ranges = decode_function_ranges(find_section(elf, kFunctionsSection));
  ASSERT_TRUE(ranges) << ranges.error().message;
  EXPECT_EQ(ranges->size(), 3u);
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
