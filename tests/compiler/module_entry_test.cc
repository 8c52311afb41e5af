#include "compiler/module_entry.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

constexpr char kHostile[] = "*/ int x(void){return 1;} /*";

Manifest manifest_with_names(const std::string& name) {
  Manifest manifest;
  manifest.imports.push_back({name, name, {{ValueType::i32, ValueType::i64}, {ValueType::i32}}});
  manifest.exports.push_back(
      {name, ExternalKind::function, {{ValueType::f32}, {ValueType::f64}}, 0});
  manifest.exports.push_back({name, ExternalKind::memory, {}, 0});
  manifest.memory = MemoryLimits{};
  manifest.tables.push_back({ValueType::funcref, 1, 10});
  manifest.tables.push_back({ValueType::externref, 1, 5});
  return manifest;
}

TEST(ModuleEntry, HoldsNoNameOfTheModule) {
  const Manifest manifest = manifest_with_names(kHostile);

  EXPECT_EQ(entry_source(manifest, {}).find("int x"), std::string::npos);
  EXPECT_EQ(config_header(manifest).find("int x"), std::string::npos);
  EXPECT_EQ(entry_source(manifest, {}), entry_source(manifest_with_names("other"), {}));
}

TEST(ModuleEntry, ReservesRoomForTablesAtTheirCapacity) {
  EXPECT_NE(config_header(manifest_with_names("a")).find("NUR_TABLE_BYTES 360u"),
            std::string::npos);
}

TEST(ModuleEntry, KeepsImageRunsInOrder) {
  const std::vector<ImageRun> image{{0, std::string(4096, 'a')}, {65536, std::string(8192, 'b')}};

  EXPECT_EQ(image_bytes(image).size(), 12288U);
  const std::string source = entry_source(manifest_with_names("a"), image);
  EXPECT_NE(source.find("{0u, 4096u, nur_image + 0u}"), std::string::npos);
  EXPECT_NE(source.find("{65536u, 8192u, nur_image + 4096u}"), std::string::npos);
}

}  // namespace
}  // namespace nur
