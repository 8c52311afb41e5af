#include "compiler/c_units.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

std::string function(const std::string& name, std::size_t bytes, const std::string& callee = "") {
  std::string text = "u32 w2c_m_" + name + "(w2c_m* instance, u32 var_p0,\n    u32 var_p1) {\n";
  if (!callee.empty()) text += "  w2c_m_" + callee + "(instance, var_p0, var_p1);\n";
  while (text.size() < bytes) text += "  var_p0 += var_p1;\n";
  return text + "}\n";
}

std::string prototype(const std::string& name) {
  return "u32 w2c_m_" + name + "(w2c_m*, u32,\n    u32);\n";
}

std::string text_of(const CUnit& unit) {
  std::string text;
  for (const std::string_view piece : unit.pieces) text += piece;
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Two functions of which the first is exported and calls the second, which a table refers to.
GeneratedC two_functions() {
  GeneratedC c;
  c.header =
      "#include \"m.h\"\n\n" + prototype("e0_0") + "\n" + prototype("f1") + "\n#define LAST\n";
  c.sources = {
      "/* wasm2c */\n#include \"m-impl.h\"\n\nstatic const void* table[] = {&w2c_m_f1};\n\n" +
          function("e0", 0, "e0_0") + "\nvoid wasm2c_m_free(w2c_m* instance) {\n}\n\n" +
          function("e0_0", 0, "f1"),
      "/* wasm2c */\n#include \"m-impl.h\"\n\n" + function("f1", 0)};
  return c;
}

TEST(CutIntoUnits, KeepsASmallModuleWholeAndAllButItsExportsStatic) {
  const GeneratedC c = two_functions();

  const Result<CUnits> cut = cut_into_units(c);

  ASSERT_TRUE(cut) << cut.error().message;
  ASSERT_EQ(cut->units.size(), 1U);
  EXPECT_EQ(cut->header, "#include \"m.h\"\n\n\n\n\n\n#define LAST\n");
  const std::string text = text_of(cut->units[0]);
  EXPECT_EQ(cut->units[0].bytes, text.size());
  EXPECT_TRUE(text.starts_with("#include \"m-impl.h\"\n")) << text;
  EXPECT_TRUE(has(text, "\nstatic u32 w2c_m_f1(w2c_m*, u32,\n    u32);\n"));
  EXPECT_TRUE(has(text, "\nstatic u32 w2c_m_f1(w2c_m* instance"));
  EXPECT_TRUE(has(text, "\nstatic u32 w2c_m_e0_0(w2c_m* instance"));
  EXPECT_TRUE(has(text, "\nu32 w2c_m_e0(w2c_m* instance"));
  EXPECT_TRUE(has(text, "\nvoid wasm2c_m_free(w2c_m* instance"));
  EXPECT_TRUE(has(text, "{&w2c_m_f1}"));
  EXPECT_LT(text.find("u32 w2c_m_f1(w2c_m*, u32"), text.find("{&w2c_m_f1}"));
}

TEST(CutIntoUnits, LetsOtherUnitsCallWhatIsNotStatic) {
  const GeneratedC c = two_functions();
  CutOptions options;
  options.whole_bytes_max = 0;
  options.unit_bytes_min = options.unit_bytes_max = 1;

  const Result<CUnits> cut = cut_into_units(c, options);

  ASSERT_TRUE(cut) << cut.error().message;
  ASSERT_EQ(cut->units.size(), 3U);
  const std::string ways_in = text_of(cut->units[0]);
  EXPECT_TRUE(has(ways_in, "u32 w2c_m_e0(w2c_m* instance"));
  EXPECT_TRUE(has(ways_in, "{&w2c_m_f1}"));
  EXPECT_TRUE(has(ways_in, "u32 w2c_m_e0_0(w2c_m*, u32"));
  EXPECT_FALSE(has(ways_in, "static u32"));
  const std::string caller = text_of(cut->units[1]);
  EXPECT_TRUE(has(caller, "\nu32 w2c_m_e0_0(w2c_m* instance"));
  EXPECT_TRUE(has(caller, "\nu32 w2c_m_f1(w2c_m*, u32"));
  EXPECT_TRUE(has(text_of(cut->units[2]), "\nu32 w2c_m_f1(w2c_m* instance"));
}

TEST(CutIntoUnits, MakesStaticWhatOnlyItsOwnUnitCalls) {
  GeneratedC c;
  c.header = prototype("f0") + prototype("f1") + prototype("f2");
  c.sources = {function("f0", 100, "f1") + function("f1", 100) + function("f2", 1000, "f0")};
  CutOptions options;
  options.whole_bytes_max = 0;
  options.unit_bytes_min = options.unit_bytes_max = 400;

  const Result<CUnits> cut = cut_into_units(c, options);

  ASSERT_TRUE(cut) << cut.error().message;
  ASSERT_EQ(cut->units.size(), 3U);
  EXPECT_TRUE(has(text_of(cut->units[1]), "static u32 w2c_m_f1(w2c_m* instance"));
  EXPECT_TRUE(has(text_of(cut->units[1]), "\nu32 w2c_m_f0(w2c_m* instance"));
  EXPECT_TRUE(has(text_of(cut->units[2]), "static u32 w2c_m_f2(w2c_m* instance"));
}

TEST(CutIntoUnits, GivesLargeFunctionsUnitsOfTheirOwnAndLessEffort) {
  GeneratedC c;
  c.header = prototype("f0") + prototype("f1") + prototype("f2") + prototype("f3");
  c.sources = {function("f0", 100) + function("f1", 5000) + function("f2", 50'000) +
               function("f3", 100)};
  CutOptions options;
  options.large_function_bytes = 4000;
  options.huge_function_bytes = 40'000;

  const Result<CUnits> cut = cut_into_units(c, options);

  ASSERT_TRUE(cut) << cut.error().message;
  ASSERT_EQ(cut->units.size(), 4U);
  EXPECT_EQ(cut->units[0].effort, Effort::full);
  EXPECT_EQ(cut->units[1].effort, Effort::full);
  EXPECT_TRUE(has(text_of(cut->units[1]), "w2c_m_f0(w2c_m* instance"));
  EXPECT_TRUE(has(text_of(cut->units[1]), "w2c_m_f3(w2c_m* instance"));
  EXPECT_EQ(cut->units[2].effort, Effort::reduced);
  EXPECT_TRUE(has(text_of(cut->units[2]), "w2c_m_f1(w2c_m* instance"));
  EXPECT_EQ(cut->units[3].effort, Effort::least);
}

TEST(CutIntoUnits, ChangesOneUnitWhenOneFunctionGrows) {
  GeneratedC before;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "f" + std::to_string(i);
    before.header += prototype(name);
    before.sources.resize(1);
    before.sources[0] += function(name, 200 + (i * 37) % 300);
  }
  GeneratedC after = before;
  const std::string_view line = "  var_p0 += var_p1;\n";
  after.sources[0].insert(after.sources[0].find(line), line);
  CutOptions options;
  options.whole_bytes_max = 0;
  options.unit_bytes_min = options.unit_bytes_max = 20'000;

  const Result<CUnits> first = cut_into_units(before, options);
  const Result<CUnits> second = cut_into_units(after, options);

  ASSERT_TRUE(first && second);
  ASSERT_GT(first->units.size(), 10U);
  ASSERT_EQ(first->units.size(), second->units.size());
  int changed = 0;
  for (std::size_t i = 0; i < first->units.size(); ++i) {
    EXPECT_LE(first->units[i].bytes, options.unit_bytes_max * 2);
    if (text_of(first->units[i]) != text_of(second->units[i])) ++changed;
  }
  EXPECT_EQ(changed, 1);
}

TEST(CutIntoUnits, MakesAboutEightUnitsOfAModuleThatIsNotLarge) {
  GeneratedC c;
  c.sources.resize(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "f" + std::to_string(i);
    c.header += prototype(name);
    c.sources[0] += function(name, 1000);
  }

  const Result<CUnits> cut = cut_into_units(c);

  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_GE(cut->units.size(), 6U);
  EXPECT_LE(cut->units.size(), 16U);
}

struct Broken {
  const char* what;
  GeneratedC c;
};

TEST(CutIntoUnits, RefusesTextThatItDoesNotKnow) {
  const GeneratedC good = two_functions();
  std::vector<Broken> all(4, Broken{"", good});
  all[0].what = "a function has no end";
  all[0].c.sources[1].resize(all[0].c.sources[1].size() - 3);
  all[1].what = "a function is defined twice";
  all[1].c.sources[1] += function("f1", 0);
  all[2].what = "a function has no prototype";
  all[2].c.header = prototype("e0_0");
  all[3].what = "a function has no body";
  all[3].c.sources[1] += "extern u32 w2c_m_f2(w2c_m*, u32);\n";
  for (const Broken& broken : all) {
    const Result<CUnits> cut = cut_into_units(broken.c);

    ASSERT_FALSE(cut) << broken.what;
    EXPECT_EQ(cut.error().kind, ErrorKind::internal);
    EXPECT_TRUE(has(cut.error().message, broken.what)) << cut.error().message;
  }
}

}  // namespace
}  // namespace nur
