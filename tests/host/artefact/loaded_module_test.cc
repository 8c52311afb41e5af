// Loading a verified file, and what the host checks of nur_module before it follows its pointers.
#include "host/artefact/loaded_module.h"

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/artefact_file.h"
#include "tests/support/craft_artefact.h"

namespace nur {
namespace {

class LoadedModuleTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<LoadedModule>> load(std::string_view bytes) {
    const Path file = folder_.path() / "module.so";
    EXPECT_TRUE(write_file(file, bytes));
    return LoadedModule::load(file);
  }
  // A module whose source has `passage` replaced.
  Result<std::unique_ptr<LoadedModule>> load_changed(std::string_view passage,
                                                     std::string_view replacement) {
    test::ArtefactRecipe recipe;
    const std::size_t at = recipe.source.find(passage);
    EXPECT_NE(at, std::string::npos) << passage;
    recipe.source.replace(at, passage.size(), replacement);
    return load(seal(test::craft_elf(recipe)));
  }
  std::string refusal_of(std::string_view passage, std::string_view replacement) {
    const auto module = load_changed(passage, replacement);
    return module ? "loaded" : module.error().message;
  }

  ScratchDir folder_ = *ScratchDir::create("nur-loaded-");
};

TEST_F(LoadedModuleTest, LoadsAGoodArtefactAndReachesItsCode) {
  const auto module = load(test::good_artefact());
  ASSERT_TRUE(module) << module.error().message;

  nur_value values[2];
  values[0].i64 = 40;
  values[1].i64 = 2;
  (*module)->code().exports[0](nullptr, values);

  EXPECT_EQ(values[0].i32, 42U);
  EXPECT_EQ((*module)->initial_memory_bytes(), 65536U);
}

TEST_F(LoadedModuleTest, KeepsWhatItLoadedWhenTheFileChanges) {
  const auto module = load(test::good_artefact());
  ASSERT_TRUE(module);
  ASSERT_TRUE(write_file(folder_.path() / "module.so", "something else"));

  nur_value values[2] = {};
  (*module)->code().exports[0](nullptr, values);

  EXPECT_EQ(values[0].i32, 0U);
}

TEST_F(LoadedModuleTest, LoadsTheSameFileTwiceIndependently) {
  const auto first = load(test::good_artefact());
  const auto second = load(test::good_artefact());
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);

  EXPECT_NE((*first)->text_begin(), (*second)->text_begin());
}

TEST_F(LoadedModuleTest, RefusesAFileByTheVerifiersRule) {
  std::string bytes = test::good_artefact();
  bytes[100] = static_cast<char>(bytes[100] ^ 1);

  const auto module = load(bytes);

  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(module.error().message.rfind("refused by rule digest: ", 0), 0U);
}

TEST_F(LoadedModuleTest, RefusesAnAbiVersionThatIsNotTheManifests) {
  EXPECT_EQ(refusal_of(".abi_version = NUR_ABI_VERSION", ".abi_version = 7"),
            "refused by rule module: its abi version is not the manifest's");
}

TEST_F(LoadedModuleTest, RefusesAnInstanceAreaThatCannotBe) {
  for (const char* size : {"0", "4097", "0x7ffff000"}) {
    EXPECT_EQ(refusal_of(".instance_bytes = 4096", std::string(".instance_bytes = ") + size),
              "refused by rule module: the instance area has a size that cannot be");
  }
}

TEST_F(LoadedModuleTest, RefusesExportsThatAreNotTheManifests) {
  EXPECT_EQ(refusal_of(".export_count = 1", ".export_count = 2"),
            "refused by rule module: its exports are not the manifest's");
  EXPECT_EQ(refusal_of(".initialize = initialize", ".initialize = initialize, .start = add"),
            "refused by rule module: its exports are not the manifest's");
}

TEST_F(LoadedModuleTest, RefusesAnExportThatIsNoCode) {
  EXPECT_EQ(refusal_of("static const nur_export_call exports[] = {add};",
                       "static const char data[] = \"no code\";"
                       "static const nur_export_call exports[] = {(nur_export_call)data};"),
            "refused by rule module: an export is no code of the object");
}

TEST_F(LoadedModuleTest, RefusesPointersThatLeadOut) {
  EXPECT_EQ(refusal_of(".exports = exports", ".exports = (const nur_export_call*)4096"),
            "refused by rule module: a pointer leads out of the object");
  EXPECT_EQ(refusal_of(".initialize = initialize", ".initialize = 0"),
            "refused by rule module: a pointer leads out of the object");
  EXPECT_EQ(refusal_of(".image_runs = image_runs", ".image_runs = 0"),
            "refused by rule module: the list of image runs leads out of the object");
}

TEST_F(LoadedModuleTest, RefusesAnImageThatIsLargerThanTheMemory) {
  const std::string expected =
      "refused by rule module: a run of the memory image is larger than the memory, or outside the "
      "object";
  EXPECT_EQ(refusal_of("{{0, sizeof page, page}}", "{{65536, sizeof page, page}}"), expected);
  EXPECT_EQ(refusal_of("{{0, sizeof page, page}}", "{{0, 65536, page}}"), expected);
  EXPECT_EQ(refusal_of("{{0, sizeof page, page}}", "{{0, -4096ull, page}}"), expected);
}

// Counters at that address of the object, as the section of a module that counts says.
std::string counting_module(std::string_view address_and_bytes) {
  test::ArtefactRecipe recipe;
  Manifest manifest = test::crafted_manifest();
  manifest.profile_generate = true;
  recipe.manifest = to_json(manifest);
  // In the module's own unit: a section by itself would be dropped by the linker.
  recipe.source += fmt::format(R"(
    __asm__(".pushsection .nur.profile,\"\",@progbits\n"
            ".asciz \"nur-counters-v1\"\n"
            ".quad {}\n"
            ".popsection");
  )",
                               address_and_bytes);
  return seal(test::craft_elf(recipe));
}

TEST_F(LoadedModuleTest, RefusesCountersOutsideOfWritableData) {
  for (const char* place : {"0, 8", "0x100000000, 8", "0, 0x10000000"}) {
    const auto module = load(counting_module(place));

    ASSERT_FALSE(module) << place;
    EXPECT_EQ(module.error().message,
              "refused by rule profile: the counters lie outside of writable data")
        << place;
  }
}

TEST_F(LoadedModuleTest, RefusesACountingModuleWithoutItsSection) {
  test::ArtefactRecipe recipe;
  Manifest manifest = test::crafted_manifest();
  manifest.profile_generate = true;
  recipe.manifest = to_json(manifest);

  const auto module = load(seal(test::craft_elf(recipe)));

  ASSERT_FALSE(module);
  EXPECT_THAT(module.error().message, ::testing::StartsWith("refused by rule profile: "));
}

TEST_F(LoadedModuleTest, RefusesAnImageThatIsNotOfWholePagesInOrder) {
  const std::string expected =
      "refused by rule module: the runs of the memory image are not of whole pages in ascending "
      "order";
  EXPECT_EQ(refusal_of("{{0, sizeof page, page}}", "{{16, sizeof page, page}}"), expected);
  EXPECT_EQ(refusal_of("{{0, sizeof page, page}}", "{{0, 100, page}}"), expected);
  EXPECT_EQ(refusal_of(".image_run_count = 1,\n        .exports = exports,\n        .image_runs = "
                       "image_runs",
                       ".image_run_count = 2, .exports = exports, .image_runs = (const struct "
                       "nur_image_run[]){{4096, 4096, page}, {0, 4096, page}}"),
            expected);
}

TEST_F(LoadedModuleTest, SaysWhereInItsFileTheImageIs) {
  const auto module = load(test::good_artefact());
  ASSERT_TRUE(module);

  const auto offset = (*module)->image_file_offset(0);

  ASSERT_TRUE(offset);
  std::string page(4096, '\0');
  ASSERT_EQ(::pread((*module)->file(), page.data(), page.size(), static_cast<off_t>(*offset)),
            4096);
  EXPECT_EQ(page.substr(0, 24), "the first page of memory");
}

// What is written may be relocated when it is loaded, so the file's bytes are not the image's.
TEST_F(LoadedModuleTest, DoesNotTakeWritableDataForTheFiles) {
  const auto module = load_changed("static const uint8_t page[4096]", "static uint8_t page[4096]");
  ASSERT_TRUE(module);

  EXPECT_FALSE((*module)->image_file_offset(0));
}

}  // namespace
}  // namespace nur
