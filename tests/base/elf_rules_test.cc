// What the rules let through, and one test per way to break those about seal and manifest.
#include "base/elf_rules.h"

#include <gtest/gtest.h>

#include "nur/abi.h"
#include "tests/base/refused_by.h"

namespace nur {
namespace {

using namespace test;

ArtefactRecipe with_manifest(std::string json) {
  ArtefactRecipe recipe;
  recipe.manifest = std::move(json);
  return recipe;
}

// --- what passes

TEST(ElfRules, AcceptWhatTheRealLinkerMakes) {
  const auto verified = verify_elf(good_artefact(), CpuLevel::v1);

  ASSERT_TRUE(verified) << to_string(verified.error().rule) << ": " << verified.error().detail;
  EXPECT_EQ(verified->manifest, test::crafted_manifest());
  const Elf64_Phdr code = good().segment(PT_LOAD, 1);
  EXPECT_EQ(verified->text_begin, code.p_vaddr);
  EXPECT_EQ(verified->text_end, code.p_vaddr + code.p_memsz);
}

TEST(ElfRules, AcceptWritableDataAndZeroedData) {
  ArtefactRecipe recipe;
  recipe.more_source = R"(
    static int zeroed[5000];
    int filled[5000] = {1};
    __attribute__((used, retain)) int* both[] = {zeroed, filled, filled + 5000};
  )";
  EXPECT_EQ(refused_by(recipe), "");
}

TEST(ElfRules, AcceptASectionForFunctionNames) {
  ArtefactRecipe recipe;
  recipe.functions = {{.address = 0x1000, .bytes = 8, .wasm_index = 0, .name = "add", .rows = {}}};
  EXPECT_EQ(refused_by(recipe), "");
}

TEST(ElfRules, AcceptControlFlowProtectionNotes) {
  ArtefactRecipe recipe;
  recipe.assembly = R"(
    .section .note.gnu.property,"a",@note
    .balign 8
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 3, 0
  )";
  EXPECT_EQ(refused_by(recipe), "");
}

TEST(ElfRules, HaveNamesOfTheirOwn) {
  EXPECT_EQ(to_string(ElfRule::digest), "digest");
  EXPECT_EQ(to_string(ElfRule::dynamic_tables), "dynamic_tables");
  EXPECT_EQ(to_string(ElfRule::target_cpu), "target_cpu");
}

// --- digest

TEST(DigestRule, RefusesAFileWithoutASeal) {
  const auto verified = verify_elf(good_elf(), CpuLevel::v1);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().rule, ElfRule::digest);
}

TEST(DigestRule, RefusesAnEmptyFile) {
  const auto verified = verify_elf("", CpuLevel::v1);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().rule, ElfRule::digest);
}

// --- manifest, abi_version, target_cpu

TEST(ManifestRule, RefusesAFileWithoutOne) { EXPECT_EQ(refused_by(with_manifest("")), "manifest"); }

TEST(ManifestRule, RefusesTwo) {
  ArtefactRecipe recipe;
  recipe.assembly = R"(
    .section .note.other,"a",@note
    .long 4, 4, 1
    .asciz "nur"
    .ascii "{}  "
  )";
  EXPECT_EQ(refused_by(recipe), "manifest");
}

TEST(ManifestRule, IgnoresNotesOfOthers) {
  ArtefactRecipe recipe;
  recipe.assembly = R"(
    .section .note.other,"a",@note
    .long 4, 4, 2
    .asciz "nur"
    .ascii "{}  "
    .long 5, 0, 1
    .asciz "nurx"
    .balign 4
  )";
  EXPECT_EQ(refused_by(recipe), "");
}

TEST(ManifestRule, RefusesOneThatIsNotJson) {
  EXPECT_EQ(refused_by(with_manifest("hello")), "manifest");
}

TEST(ManifestRule, RefusesOneWithAKeyMissing) {
  EXPECT_EQ(refused_by(with_manifest(fmt::format(R"({{"abi_version": {}}})", NUR_ABI_VERSION))),
            "manifest");
}

TEST(ManifestRule, RefusesMalformedNotes) {
  const auto with = [](std::size_t at, std::uint32_t value) {
    ElfPatch patch = good();
    patch.write(patch.segment(PT_NOTE).p_offset + at, value);
    return refused_by(patch);
  };
  EXPECT_EQ(with(0, 0), "manifest") << "no owner";
  EXPECT_EQ(with(0, 3), "manifest") << "an owner without end";
  EXPECT_EQ(with(0, 0xffffffff), "manifest") << "an owner behind the segment";
  EXPECT_EQ(with(4, 0xffffffff), "manifest") << "contents behind the segment";
}

TEST(ManifestRule, RefusesAnUnusualAlignmentOfNotes) {
  for (const std::uint64_t alignment : {0, 1, 16}) {
    ElfPatch patch = good();
    patch.segment(PT_NOTE, 0, [&](Elf64_Phdr& s) { s.p_align = alignment; });
    EXPECT_EQ(refused_by(patch), "manifest") << alignment;
  }
}

TEST(ManifestRule, RefusesAPropertyThatIsCutShort) {
  ArtefactRecipe recipe;
  recipe.assembly = R"(
    .section .note.other,"a",@note
    .balign 8
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 400, 3, 0
  )";
  EXPECT_EQ(refused_by(recipe), "manifest");
}

TEST(AbiVersionRule, RefusesAnotherVersionWhateverElseTheManifestSays) {
  EXPECT_EQ(refused_by(with_manifest(fmt::format(R"({{"abi_version": {}}})", NUR_ABI_VERSION + 1))),
            "abi_version");
  EXPECT_EQ(refused_by(with_manifest(R"({"abi_version": 0})")), "abi_version");
}

TEST(TargetCpuRule, RefusesALevelAboveTheMachine) {
  Manifest manifest = test::crafted_manifest();
  manifest.target_cpu = CpuLevel::v3;
  const std::string elf = craft_elf(with_manifest(to_json(manifest)));
  EXPECT_EQ(refused_by(elf, CpuLevel::v2), "target_cpu");
  EXPECT_EQ(refused_by(elf, CpuLevel::v3), "");
  EXPECT_EQ(refused_by(elf, CpuLevel::v4), "");
}

}  // namespace
}  // namespace nur
