#include "compiler/wasm/name_section.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/wasm/wasm_module.h"
#include "tests/compiler/wasm/module_builder.h"

namespace nur {
namespace {

using test::leb;
using test::name;
using test::raw;
using test::vec;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::string subsection(int id, const std::string& payload) { return raw({id}) + name(payload); }

TEST(NameSection, GivesModuleAndFunctionNames) {
  const std::string bytes = test::rich_module();

  const WasmModule module = read_module(bytes).value();

  EXPECT_EQ(module.name, "rich");
  EXPECT_THAT(module.function_names, ElementsAre(Pair(1, "loops"), Pair(2, "adds")));
}

TEST(NameSection, SkipsSubsectionsItDoesNotKnow) {
  const std::string payload = subsection(0, name("m")) + subsection(7, "anything");
  EXPECT_EQ(read_names(payload, 1).module, "m");
}

TEST(NameSection, LeavesOutFunctionsThatDoNotExist) {
  const std::string payload = subsection(1, vec({leb(0) + name("a"), leb(9) + name("b")}));
  EXPECT_THAT(read_names(payload, 1).functions, ElementsAre(Pair(0, "a")));
}

TEST(NameSection, IsIgnoredWhenMalformed) {
  const std::string good = subsection(0, name("m"));
  for (const std::string& bad : {
           raw({1}),                                                      // cut
           subsection(0, name("again")),                                  // twice
           subsection(1, leb(0xffffffff)),                                // count
           subsection(1, vec({leb(0) + name("\xff")})),                   // not UTF-8
           subsection(1, vec({leb(1) + name("a"), leb(0) + name("b")})),  // order
           subsection(1, vec({leb(0) + name("a"), leb(0) + name("b")})),  // twice
           subsection(1, vec({leb(0) + name("a")}) + "x"),                // left over
       }) {
    const ModuleNames names = read_names(good + bad, 2);
    EXPECT_EQ(names.module, "");
    EXPECT_THAT(names.functions, IsEmpty());
    // ... and never a reason to refuse the module.
    EXPECT_TRUE(read_module(test::ModuleBuilder().custom("name", good + bad).bytes()));
  }
}

}  // namespace
}  // namespace nur
