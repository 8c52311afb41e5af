// What a stranger may write into a module besides code: names, custom sections, data. None of it
// reaches wasm2c or the C compiler but as bytes of the image, which the assembler includes as they
// are.
#include <algorithm>
#include <array>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "compiler/module_entry.h"
#include "compiler/wasm/describe.h"
#include "compiler/wasm/rewrite.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::ModuleBuilder;
using test::raw;

constexpr int kNames = 10'000;

// What C, its preprocessor, assemblers, linkers, shells and JSON give a meaning to, joined at
// random.
std::vector<std::string> hostile_names() {
  constexpr std::array<std::string_view, 40> kPieces{"*/",
                                                     "/*",
                                                     "//",
                                                     "\n",
                                                     "\r\n",
                                                     "\"",
                                                     "'",
                                                     "\\",
                                                     "\\\n",
                                                     "?"
                                                     "?/",
                                                     "#include </etc/passwd>",
                                                     "#define main",
                                                     "_Pragma(\"x\")",
                                                     "__asm__(\".incbin \\\"/etc/shadow\\\"\")",
                                                     ";",
                                                     "{",
                                                     "}",
                                                     "(",
                                                     ")",
                                                     "int x(void){return 1;}",
                                                     "$(id)",
                                                     "`id`",
                                                     "| id",
                                                     "&& id",
                                                     "%s%n",
                                                     "@file",
                                                     "-o",
                                                     "--wrapper",
                                                     ".globl nur_module",
                                                     ".section .init_array",
                                                     "\xc3\xa9",
                                                     "\xe2\x80\xae",
                                                     "\xf0\x9f\x90\x84",
                                                     std::string_view("\0", 1),
                                                     "\x1b[31m",
                                                     "w2c_m",
                                                     "nur_module",
                                                     "../../x",
                                                     "}],\"abi_version\":9,\"x\":[{",
                                                     "\x7f"};
  std::mt19937 random(20260101);
  std::set<std::string> names;
  while (names.size() < kNames) {
    std::string name;
    for (unsigned pieces = 1 + random() % 5; pieces > 0; --pieces) {
      name += kPieces[random() % kPieces.size()];
    }
    names.insert(name);
  }
  std::vector<std::string> list(names.begin(), names.end());
  std::shuffle(list.begin(), list.end(), random);
  return list;
}

std::vector<std::string> plain_names() {
  std::vector<std::string> names;
  for (int index = 0; index < kNames; ++index) names.push_back(fmt::format("n{}", index));
  return names;
}

// A module whose every name is one of these; what it does is the same for all.
std::string module_with(const std::vector<std::string>& names) {
  ModuleBuilder builder;
  const int type = builder.type({test::kI32}, {test::kI32});
  std::vector<std::string> function_names;
  for (int index = 0; index < 100; ++index) {
    builder.function(type, raw({0x20, 0, 0x0b}));
    function_names.push_back(test::leb(static_cast<std::uint64_t>(index)) +
                             test::name(names[static_cast<std::size_t>(index)]));
  }
  builder.memory(raw({0, 1})).global(raw({test::kI32, 0, 0x41, 0, 0x0b})).table(raw({0x70, 0, 1}));
  for (int index = 0; index < kNames; ++index) {
    const std::string& name = names[static_cast<std::size_t>(index)];
    switch (index % 10) {
      case 0:
        builder.exported(name, 1, 0);
        break;
      case 1:
        builder.exported(name, 2, 0);
        break;
      case 2:
        builder.exported(name, 3, 0);
        break;
      default:
        builder.exported(name, 0, index % 100);
    }
  }
  builder.custom("name", raw({0}) + test::name(test::name(names[0])) + raw({1}) +
                             test::name(test::vec(function_names)));
  builder.custom(names[1], names[2]);
  return builder.bytes();
}

// All that the tools are given of a module.
std::string text_for_tools(const std::string& bytes) {
  const WasmModule module = read_module(bytes).value();
  const RewrittenModule rewritten = rewrite(module).value();
  const Manifest manifest = describe(module, GuestAbi::typed);
  EXPECT_EQ(manifest.exports.size(), static_cast<std::size_t>(kNames));
  return rewritten.bytes + config_header(manifest) + entry_source(manifest, rewritten.image) +
         sections_source(0, !rewritten.image.empty());
}

TEST(HostileNames, ChangeNoByteThatToolsAreGiven) {
  const std::vector<std::string> names = hostile_names();
  ASSERT_EQ(names.size(), static_cast<std::size_t>(kNames));

  EXPECT_TRUE(text_for_tools(module_with(names)) == text_for_tools(module_with(plain_names())));
}

TEST(HostileNames, ComeBackFromTheManifestAsTheyWere) {
  const std::vector<std::string> names = hostile_names();
  Manifest manifest = describe(read_module(module_with(names)).value(), GuestAbi::typed);
  manifest.wasm_sha256 = std::string(64, '0');

  const Result<Manifest> read = manifest_from_json(to_json(manifest));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, manifest);
  for (int index = 0; index < kNames; ++index) {
    EXPECT_EQ(read->exports[static_cast<std::size_t>(index)].name,
              names[static_cast<std::size_t>(index)]);
  }
}

TEST(HostileData, GoesIntoTheImageAlone) {
  const auto module_of = [](const std::string& data) {
    ModuleBuilder builder;
    builder.function(builder.type("", ""), raw({0x0b})).exported("f", 0, 0);
    return builder.memory(raw({0, 1})).data_at(16, data).bytes();
  };
  const std::string hostile =
      "\"; int x(void){return 1;} /* \\ ?"
      "?/ \n#include \"/etc/passwd\"";
  const auto without_image = [&](const std::string& data) {
    const std::string bytes = module_of(data);
    const WasmModule module = read_module(bytes).value();
    const RewrittenModule rewritten = rewrite(module).value();
    EXPECT_NE(image_bytes(rewritten.image).find(data), std::string::npos);
    const Manifest manifest = describe(module, GuestAbi::typed);
    return rewritten.bytes + config_header(manifest) + entry_source(manifest, rewritten.image);
  };

  EXPECT_EQ(without_image(hostile), without_image(std::string(hostile.size(), 'x')));
}

}  // namespace
}  // namespace nur
