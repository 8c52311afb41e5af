// compiler_fuzzer: random modules through nurc and the sandbox, held against V8 (docs/fuzzing.md).
//
//   compiler_fuzzer [--seconds N] [--seed S] [--jobs J] [--modules N] [--keep DIR]
//   compiler_fuzzer --seed S --module I            that module alone
//   compiler_fuzzer --repro FILE [--seed S --module I]
//
// Exit codes: 0 no findings, 1 findings, 2 wrong usage, 77 node or binaryen is missing.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "compiler/compile.h"
#include "compiler/toolchain.h"
#include "tests/fuzz/compiler/campaign.h"

namespace nur::fuzz {
namespace {

constexpr int kSkippedByCtest = 77;

struct Options {
  CampaignOptions campaign;
  std::uint64_t seconds = 60;
  std::optional<std::uint64_t> module;
  std::string repro;
  std::string corpus;
  std::optional<int> optimisation;
  std::string target_cpu;
  std::string nans;
};

Result<Recipe> recipe_of(const Options& options) {
  Recipe recipe = make_recipe(options.campaign.seed, options.module.value_or(0), cpu_level_here());
  choose_from_corpus(recipe, options.campaign.corpus);
  // A file alone says nothing about how it is compiled: as nurc does by itself.
  if (!options.module) recipe.build = {};
  if (!options.module) recipe.canonical_nans = true;
  if (options.optimisation) recipe.build.optimisation = *options.optimisation;
  if (!options.nans.empty()) recipe.canonical_nans = options.nans == "canonical";
  if (!options.target_cpu.empty()) {
    const std::optional<CpuLevel> cpu = cpu_level_from(options.target_cpu);
    if (!cpu || *cpu == CpuLevel::v1) {
      return fail(ErrorKind::invalid_input, "no target cpu {}", options.target_cpu);
    }
    recipe.build.target_cpu = *cpu;
  }
  return recipe;
}

// One module: from a file, or the one that seed and number make.
Result<int> run_one(const Options& options, const Toolchain& toolchain,
                    const Interrupt& interrupt) {
  const Recipe recipe = NUR_TRY(recipe_of(options));
  const ScratchDir folder = NUR_TRY(ScratchDir::create("nur-fuzz-"));
  const std::string module =
      options.repro.empty()
          ? NUR_TRY(make_module(recipe, options.campaign.wasm_opt, folder.path(), interrupt))
          : NUR_TRY(read_wasm(options.repro, toolchain, interrupt));
  fmt::print(stderr, "{}\n", to_string(recipe));
  V8Process v8(options.campaign.v8);
  const Bench bench{toolchain, interrupt, v8, folder.path()};
  NUR_TRY(check_v8(bench));
  const Verdict verdict = NUR_TRY(try_module(module, recipe, bench));
  // wasm-reduce takes standard output for the finding itself: no number there that may change.
  fmt::print("fuzz target=compiler verdict={}\n", to_string(verdict.kind));
  fmt::print(stderr, "calls={} traps={} incomparable={}{}{}\n", verdict.calls, verdict.traps,
             verdict.incomparable, verdict.reason.empty() ? "" : "\n", verdict.reason);
  if (verdict.kind != Verdict::Kind::finding) return 0;
  if (options.repro.empty()) {
    const Path kept = NUR_TRY(keep_finding(options.campaign.findings, module, recipe, verdict));
    fmt::print(stderr, "fuzz: kept in {}\n", kept.string());
  }
  return 1;
}

Result<int> run_many(const Options& options, const Toolchain& toolchain,
                     const Interrupt& interrupt) {
  {
    const ScratchDir folder = NUR_TRY(ScratchDir::create("nur-fuzz-"));
    V8Process v8(options.campaign.v8);
    NUR_TRY(check_v8({toolchain, interrupt, v8, folder.path()}));
  }
  const Tally tally = NUR_TRY(run_campaign(options.campaign, toolchain, interrupt));
  for (const auto& [reason, count] : tally.reasons) fmt::print("{:8} {}\n", count, reason);
  fmt::print("{}\n", tally.summary());
  return tally.count(Verdict::Kind::finding) == 0 ? 0 : 1;
}

Result<int> run(Options options) {
  const std::optional<Path> wasm_opt = on_search_path("wasm-opt");
  const std::optional<Path> node = on_search_path("node");
  if (!wasm_opt || !node) {
    fmt::print(stderr, "fuzz: skipped: no {} on PATH; apt install {}\n",
               wasm_opt ? "node" : "wasm-opt", wasm_opt ? "nodejs" : "binaryen");
    return kSkippedByCtest;
  }
  options.campaign.wasm_opt = *wasm_opt;
  options.campaign.v8 = {*node, Path(NUR_FUZZ_SOURCES) / "v8_side.mjs"};
  options.campaign.time = std::chrono::seconds(options.seconds);
  options.campaign.findings = std::filesystem::absolute(options.campaign.findings);

  if (!options.corpus.empty()) options.campaign.corpus = NUR_TRY(read_corpus(options.corpus));

  const Interrupt interrupt = NUR_TRY(Interrupt::listen());
  const Toolchain toolchain = NUR_TRY(find_toolchain({}, interrupt));
  if (!options.repro.empty() || options.module) return run_one(options, toolchain, interrupt);
  return run_many(options, toolchain, interrupt);
}

int main_of(int argc, char** argv) {
  Options options;
  options.campaign.jobs = std::max(1U, std::thread::hardware_concurrency());
  options.campaign.findings = NUR_FUZZ_FINDINGS;
  CLI::App app("Random modules through nurc and the sandbox, held against V8.");
  app.add_option("--seconds", options.seconds, "how long to go on (60)");
  app.add_option("--modules", options.campaign.modules_max, "stop after that many");
  app.add_option("--seed", options.campaign.seed, "which modules (1)");
  app.add_option("--first", options.campaign.first, "number of the first module (0)");
  app.add_option("--jobs", options.campaign.jobs, "modules at a time (one per processor)")
      ->check(CLI::Range(1, 64));
  app.add_option("--keep", options.campaign.findings, "folder for findings (build/fuzz/compiler)");
  app.add_option("--corpus", options.corpus,
                 "folder of .wasm files, of which half of the modules are made");
  app.add_option("--module", options.module, "only that module of the seed");
  app.add_option("--repro", options.repro,
                 "only this file, as a module of the seed if --module is "
                 "given")
      ->check(CLI::ExistingFile);
  app.add_option("--optimisation", options.optimisation, "with --module or --repro")
      ->check(CLI::Range(0, 3));
  app.add_option("--target-cpu", options.target_cpu, "with --module or --repro");
  app.add_option("--nans", options.nans,
                 "with --module or --repro: their bits as engines make "
                 "them, or as one (canonical)")
      ->check(CLI::IsMember({"raw", "canonical"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  const Result<int> status = run(std::move(options));
  if (!status) {
    fmt::print(stderr, "fuzz: {}\n", status.error().message);
    return 1;
  }
  return *status;
}

}  // namespace
}  // namespace nur::fuzz

int main(int argc, char** argv) { return nur::fuzz::main_of(argc, argv); }
