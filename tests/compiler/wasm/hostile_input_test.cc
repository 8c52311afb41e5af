// Whatever the bytes: an answer, in bounded time and memory. Run under the sanitizers.
#include <ctime>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "compiler/wasm/describe.h"
#include "compiler/wasm/import_policy.h"
#include "compiler/wasm/rewrite.h"
#include "compiler/wasm/wasm_module.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

// All that nurc does with a module before wasm2c sees it. What comes out must be readable again.
// True when the module was accepted.
bool run_front_end(const std::string& bytes) {
  const Result<WasmModule> module = read_module(bytes);
  if (!module) {
    EXPECT_FALSE(module.error().message.empty());
    return false;
  }
  for (const GuestAbi abi : {GuestAbi::nur, GuestAbi::wasi, GuestAbi::handle, GuestAbi::typed}) {
    const Result<void> checked = check_imports(*module, abi);
    EXPECT_TRUE(checked || !checked.error().message.empty());
  }
  const Result<GuestAbi> abi = recognise_abi(*module, std::nullopt);
  const Manifest manifest = describe(*module, abi.value_or(GuestAbi::typed));
  const Result<RewrittenModule> rewritten = rewrite(*module);
  if (!rewritten) return false;

  const Result<WasmModule> again = read_module(rewritten->bytes);
  EXPECT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->functions.size(), module->functions.size());
  EXPECT_EQ(again->imports.size(), manifest.imports.size());
  return true;
}

TEST(HostileInput, TruncatedAnywhereIsRefused) {
  const std::string whole = test::rich_module();
  ASSERT_TRUE(run_front_end(whole));
  // Between custom sections, at the end, a shorter module is a module.
  const std::size_t last_known = read_module(whole)->data_segments.back().bytes.data() +
                                 std::string("passive").size() - whole.data();

  for (std::size_t size = 0; size < last_known; ++size) {
    // A copy of its own, so that the sanitizer sees the first byte read past it.
    const std::string cut = whole.substr(0, size);
    const bool accepted = run_front_end(std::string(cut.data(), cut.size()));
    // What ends after a section ahead of the function section is a smaller module.
    EXPECT_TRUE(!accepted || read_module(cut)->bodies.empty()) << size;
  }
  for (std::size_t size = last_known; size < whole.size(); ++size) {
    run_front_end(whole.substr(0, size));
  }
}

TEST(HostileInput, EveryByteReplacedByEveryOtherIsAnswered) {
  const std::string whole = test::rich_module();
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value = 0; value < 256; value += 5) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      if (run_front_end(changed)) ++accepted;
    }
  }
  EXPECT_GT(accepted, 0U);
}

TEST(HostileInput, RandomMutationsAreAnswered) {
  const std::string seeds[] = {test::rich_module(),
                               test::module_with_body("\x02\x40\x41\x01\x0d\x00\x0b\x0b")};
  std::mt19937 random(20240229);
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seeds[below(2)];
    for (std::size_t change = 0; change <= below(6); ++change) {
      const std::size_t at = below(bytes.size());
      switch (below(5)) {
        case 0:
          bytes[at] = static_cast<char>(below(256));
          break;
        case 1:
          bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << below(8)));
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(below(256)));
          break;
        case 3:
          bytes.erase(at, 1 + below(4));
          break;
        default:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(16)));
      }
      if (bytes.empty()) bytes.push_back('\0');
    }
    if (run_front_end(bytes)) ++accepted;
  }
  // The mutations are mild enough to get past the first checks.
  EXPECT_GT(accepted, 100U);
}

TEST(HostileInput, LargeModulesAreReadInSeconds) {
  // One-byte segments, each in a page of its own: the widest spread of an image.
  test::ModuleBuilder builder;
  builder.memory(test::leb(1) + test::leb(8'000) + test::leb(8'000));
  for (std::uint32_t segment = 0; segment < 20'000; ++segment) {
    builder.data_at(segment * 4096, "x");
  }
  // 200,000 functions, each with 50 instructions.
  const int type = builder.type("", "");
  std::string body(50, '\x01');
  body.push_back('\x0b');
  for (int function = 0; function < 200'000; ++function) builder.function(type, body);
  const std::string bytes = builder.bytes();

  // Time on the processor, so that what else the machine does makes no difference.
  const std::clock_t start = std::clock();
  EXPECT_TRUE(run_front_end(bytes));
  const std::clock_t taken = std::clock() - start;

  // 11 MB; a second or so without optimisation. Twenty tell linear from quadratic.
  EXPECT_LT(taken, 20 * CLOCKS_PER_SEC);
}

}  // namespace
}  // namespace nur
