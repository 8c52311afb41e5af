#include "tests/fuzz/compiler/recipe.h"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include "compiler/wasm/limits.h"
#include "compiler/wasm/module_writer.h"

namespace nur::fuzz {
namespace {

enum Purpose : std::uint64_t { kChoices = 1, kInput = 2, kInitialInput = 3, kCorpus = 5 };

// Binaryen makes up a few functions of whatever input there is, and more of more.
constexpr double kInputBytesMin = 400;
constexpr double kInputBytesMax = 8000;

std::size_t input_size(Random& random) {
  const double position = static_cast<double>(random.below(1000)) / 1000;
  return static_cast<std::size_t>(kInputBytesMin *
                                  std::pow(kInputBytesMax / kInputBytesMin, position));
}

std::vector<std::string> choose_features(Random& random) {
  std::vector<std::string> features{"--mvp-features", "--enable-mutable-globals"};
  if (random.one_in(16)) return features;
  features.insert(features.end(), {"--enable-sign-ext", "--enable-nontrapping-float-to-int",
                                   "--enable-bulk-memory"});
  if (!random.one_in(4)) features.emplace_back("--enable-multivalue");
  // Binaryen 108 takes funcref for a kind of externref, which made sense before the proposal was
  // done: V8 refuses two in five of these modules.
  if (random.one_in(2)) features.emplace_back("--enable-reference-types");
  if (random.one_in(2)) features.emplace_back("--enable-simd");
  return features;
}

std::vector<std::string> choose_passes(Random& random) {
  switch (random.below(10)) {
    case 0:
      return {"-O3"};
    case 1:
      return {"-O1"};
    case 2:
      return {"--flatten", "--rereloop"};
    case 3:
      return {"--fuzz-passes"};
    case 4:
      return {"--inlining-optimizing", "-Os"};
    default:
      return {};
  }
}

BuildOptions choose_build(Random& random, CpuLevel native) {
  BuildOptions build;
  constexpr int kLevels[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 1, 0};
  build.optimisation = kLevels[random.below(std::size(kLevels))];
  constexpr CpuLevel kCpus[] = {CpuLevel::v2, CpuLevel::v2, CpuLevel::v2, CpuLevel::v2,
                                CpuLevel::v2, CpuLevel::v2, CpuLevel::v3, CpuLevel::v4};
  build.target_cpu = std::min(kCpus[random.below(std::size(kCpus))], native);
  return build;
}

Result<void> run_wasm_opt(const Path& wasm_opt, const Path& folder,
                          std::vector<std::string> arguments, const Interrupt& interrupt) {
  Command command;
  command.arguments = std::move(arguments);
  command.arguments.insert(command.arguments.begin(), wasm_opt.string());
  command.folder = folder;
  command.limits.cpu_seconds = 20;
  command.limits.wall = Milliseconds(60'000);
  NUR_TRY(run_process(command, interrupt));
  return {};
}

// With other names for its exports: Binaryen adds its own, and each can be there once.
Result<std::string> rename_exports(std::string_view bytes) {
  const WasmModule module = NUR_TRY(read_module(bytes));
  ModuleWriter writer;
  // The order of sections is that of their numbers, but for the data count (specification 5.5.16).
  constexpr SectionId kOrder[] = {SectionId::type,       SectionId::import, SectionId::function,
                                  SectionId::table,      SectionId::memory, SectionId::global,
                                  SectionId::export_,    SectionId::start,  SectionId::element,
                                  SectionId::data_count, SectionId::code,   SectionId::data};
  for (const SectionId id : kOrder) {
    const auto& payload = module.sections[static_cast<std::size_t>(id)];
    if (!payload) continue;
    if (id != SectionId::export_) {
      writer.section(id, *payload);
      continue;
    }
    SectionWriter exports;
    exports.u32(static_cast<std::uint32_t>(module.exports.size()));
    for (const WasmExport& exported : module.exports) {
      exports.name(fmt::format("initial {}", exported.name))
          .byte(static_cast<std::uint8_t>(exported.kind))
          .u32(exported.index);
    }
    writer.section(id, exports.payload());
  }
  return std::move(writer).take();
}

}  // namespace

Recipe make_recipe(std::uint64_t seed, std::uint64_t number, CpuLevel native) {
  Recipe recipe;
  recipe.seed = seed;
  recipe.number = number;
  Random random = recipe.stream(kChoices);
  recipe.input_bytes = input_size(random);
  recipe.features = choose_features(random);
  recipe.passes = choose_passes(random);
  if (random.one_in(8)) recipe.initial_bytes = input_size(random);
  recipe.build = choose_build(random, native);
  recipe.canonical_nans = !random.one_in(4);
  constexpr std::uint32_t kHangLimits[] = {10, 40, 200, 1000};
  recipe.hang_limit = kHangLimits[random.below(std::size(kHangLimits))];
  return recipe;
}

void choose_from_corpus(Recipe& recipe, const std::vector<Path>& corpus) {
  Random random = recipe.stream(kCorpus);
  if (corpus.empty() || random.one_in(2)) return;
  recipe.initial_file = corpus[random.below(corpus.size())];
  // It may use whatever nur runs; half of them go without references, see above.
  recipe.features = {"--mvp-features",       "--enable-mutable-globals",
                     "--enable-sign-ext",    "--enable-nontrapping-float-to-int",
                     "--enable-bulk-memory", "--enable-multivalue",
                     "--enable-simd"};
  if (random.one_in(2)) recipe.features.emplace_back("--enable-reference-types");
}

Result<std::vector<Path>> read_corpus(const Path& folder) {
  std::vector<Path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".wasm") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  if (files.empty()) {
    return fail(ErrorKind::not_found, "{} has no .wasm files", folder.string());
  }
  return files;
}

std::string to_string(const Recipe& recipe) {
  return fmt::format("seed={} module={} input={} initial={} nans={} hang_limit={} -O{} {} {} {}",
                     recipe.seed, recipe.number, recipe.input_bytes,
                     recipe.initial_file.empty() ? std::to_string(recipe.initial_bytes)
                                                 : recipe.initial_file.filename().string(),
                     recipe.canonical_nans ? "canonical" : "raw", recipe.hang_limit,
                     recipe.build.optimisation, to_string(recipe.build.target_cpu),
                     fmt::join(recipe.features, " "), fmt::join(recipe.passes, " "));
}

Result<std::string> make_module(const Recipe& recipe, const Path& wasm_opt, const Path& folder,
                                const Interrupt& interrupt) {
  const auto arguments = [&](std::initializer_list<const char*> files) {
    std::vector<std::string> all(files.begin(), files.end());
    all.insert(all.end(), recipe.features.begin(), recipe.features.end());
    return all;
  };
  std::vector<std::string> making =
      arguments({"input.bin", "--translate-to-fuzz", "-o", "made.wasm"});
  if (!recipe.initial_file.empty()) {
    const std::string file = NUR_TRY(read_file(recipe.initial_file, ModuleLimits{}.module_bytes));
    if (const Result<std::string> renamed = rename_exports(file)) {
      NUR_TRY(write_file(folder / "initial.wasm", *renamed));
      making.emplace_back("--initial-fuzz=initial.wasm");
    }
  } else if (recipe.initial_bytes > 0) {
    NUR_TRY(write_file(folder / "initial.bin",
                       recipe.stream(kInitialInput).bytes(recipe.initial_bytes)));
    NUR_TRY(run_wasm_opt(wasm_opt, folder,
                         arguments({"initial.bin", "--translate-to-fuzz", "-o", "initial.wasm"}),
                         interrupt));
    const std::string initial =
        NUR_TRY(read_output(folder / "initial.wasm", ModuleLimits{}.module_bytes));
    // Two in five with references are no valid modules; those are gone without.
    if (const Result<std::string> renamed = rename_exports(initial)) {
      NUR_TRY(write_file(folder / "initial.wasm", *renamed));
      making.emplace_back("--initial-fuzz=initial.wasm");
    }
  }
  making.insert(making.end(), recipe.passes.begin(), recipe.passes.end());
  NUR_TRY(write_file(folder / "input.bin", recipe.stream(kInput).bytes(recipe.input_bytes)));
  NUR_TRY(run_wasm_opt(wasm_opt, folder, std::move(making), interrupt));
  return read_output(folder / "made.wasm", ModuleLimits{}.module_bytes);
}

}  // namespace nur::fuzz
