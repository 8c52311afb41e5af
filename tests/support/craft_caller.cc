// craft_caller IMPORT OUT.so: an artefact that calls test.IMPORT. nurc makes none: it refuses what
// imports.def does not list. GET /api/NAME/0 makes the call.
#include <cstdio>
#include <stdexcept>

#include "base/file.h"
#include "tests/support/craft_artefact.h"

namespace nur {
namespace {

constexpr std::string_view kSource = R"(
  #include "nur/abi.h"

  static void call(struct nur_instance_header* instance, union nur_value* values) {
    instance->call(instance, 0, values);
  }
  static void initialize(struct nur_instance_header* instance) { instance->tables_used = 0; }

  static const nur_export_call exports[] = {call};

  __attribute__((visibility("default"))) const struct nur_module nur_module = {
      .abi_version = NUR_ABI_VERSION,
      .instance_bytes = 4096,
      .export_count = 1,
      .exports = exports,
      .initialize = initialize,
  };
)";

int craft(const std::string& import, const Path& file) {
  Manifest manifest = test::crafted_manifest();
  const FunctionType number_to_number{.parameters = {ValueType::i32}, .results = {ValueType::i32}};
  manifest.imports = {{.module = "test", .name = import, .type = number_to_number}};
  manifest.exports = {
      {.name = "call", .kind = ExternalKind::function, .type = number_to_number, .entry = 0}};
  test::ArtefactRecipe recipe;
  recipe.source = kSource;
  recipe.manifest = to_json(manifest);
  const Result<void> written = write_file(file, seal(test::craft_elf(recipe)));
  if (written) return 0;
  fmt::print(stderr, "craft_caller: {}\n", written.error().message);
  return 1;
}

}  // namespace
}  // namespace nur

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: craft_caller IMPORT OUT.so\n", stderr);
    return 2;
  }
  try {
    return nur::craft(argv[1], argv[2]);
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "craft_caller: %s\n", error.what());
    return 1;
  }
}
