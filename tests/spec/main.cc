// spec_runner: the specification's own tests through nurc's pipeline, the host's loader and the
// sandbox.
//
//   spec_runner [--optimisation N]... [--target-cpu LEVEL] [--jobs N] [--failures N] [FILE]...
//
// FILE is a script below the folder of tests (core/br.wast); without any, all of core/ and
// proposals/. The folder is $NUR_SPEC_TESTS. Exit codes: 0 all hold, 1 some fail, 2 wrong usage,
// 77 no tests there.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "compiler/subprocess.h"
#include "tests/spec/proposals.h"
#include "tests/spec/run_script.h"
#include "tests/spec/workers.h"

namespace nur::spec {
namespace {

constexpr int kSkippedByCtest = 77;
// The only proposal that nur runs.
constexpr std::string_view kRunProposal = "extended-const";

struct Options {
  Path tests;
  Path skips;
  std::vector<int> levels;
  std::string target_cpu = "x86-64-v2";
  int jobs = 2;
  std::size_t failures_shown = 50;
  std::vector<std::string> files;
};

// One script, and the proposal it belongs to if that is one we refuse.
struct ScriptFile {
  Path path;
  std::string label;
  std::string refused_proposal;
};

// Scripts of everything asked for, those that take longest first.
std::vector<ScriptFile> find_scripts(const Options& options) {
  std::vector<ScriptFile> scripts;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.tests)) {
    const Path& path = entry.path();
    if (path.extension() != ".wast") continue;
    ScriptFile script;
    script.path = path;
    script.label = path.lexically_relative(options.tests).string();
    const std::string folder = path.parent_path().filename().string();
    if (script.label.starts_with("proposals/") && folder != kRunProposal) {
      script.refused_proposal = folder;
    }
    if (!options.files.empty() &&
        std::ranges::find(options.files, script.label) == options.files.end()) {
      continue;
    }
    scripts.push_back(std::move(script));
  }
  std::ranges::sort(scripts, [](const ScriptFile& a, const ScriptFile& b) {
    const auto size_of = [](const ScriptFile& script) {
      return std::filesystem::file_size(script.path);
    };
    return std::pair(size_of(b), a.label) < std::pair(size_of(a), b.label);
  });
  return scripts;
}

// wast2json comes with wasm2c.
Result<std::vector<Command>> convert(const ScriptFile& script, const Workshop& workshop) {
  const Path json = workshop.folder / "script.json";
  nur::Command command;
  command.arguments = {(workshop.toolchain.wasm2c.path.parent_path() / "wast2json").string(),
                       script.refused_proposal.empty() ? "--enable-extended-const" : "--enable-all",
                       script.path.string(), "-o", json.string()};
  command.folder = workshop.folder;
  NUR_TRY(run_process(command, workshop.interrupt));
  return read_script(json);
}

Report failed(const ScriptFile& script, const Error& error) {
  Report report;
  report.assertions = 1;
  report.failures = {fmt::format("{}: {}", script.label, error.message)};
  return report;
}

Report run(const ScriptFile& script, const SkipList& skips, const Workshop& workshop) {
  const auto lines = skips.find(script.label);
  const SkippedLines skipped = lines == skips.end() ? SkippedLines{} : lines->second;
  const Result<std::vector<Command>> commands = convert(script, workshop);
  if (!commands && !script.refused_proposal.empty()) {
    // wast2json of wabt 1.0.36 does not know all of the syntax either.
    Report report;
    report.unread = {script.label};
    return report;
  }
  if (!commands) return failed(script, commands.error());
  if (!script.refused_proposal.empty()) {
    return check_refusals(*commands, script.refused_proposal, script.label, workshop);
  }
  const Result<TrapGuard> guard = TrapGuard::install();
  if (!guard) return failed(script, guard.error());
  return run_script(*commands, script.label, skipped, workshop, *guard);
}

void show_script(const Job& job, const Report& report, double seconds) {
  fmt::print("{} {} seconds={:.1f}\n", job.label, report.summary(), seconds);
  std::fflush(stdout);
}

void show_failures(const Report& report, std::size_t shown) {
  for (std::size_t i = 0; i < std::min(shown, report.failures.size()); ++i) {
    fmt::print("{}\n", report.failures[i]);
  }
}

// All scripts of what nur runs, at one level of optimisation.
Result<Report> run_all(const std::vector<ScriptFile>& scripts, const SkipList& skips,
                       const Options& options, Workshop workshop) {
  std::vector<Job> jobs;
  for (const ScriptFile& script : scripts) {
    if (!script.refused_proposal.empty()) continue;
    jobs.push_back({script.label, [&script, &skips, workshop](const Path& folder) mutable {
                      workshop.folder = folder;
                      return run(script, skips, workshop);
                    }});
  }
  if (jobs.empty()) return Report{};
  const Report report = NUR_TRY(run_jobs(jobs, options.jobs, workshop.interrupt, show_script));
  show_failures(report, options.failures_shown);
  fmt::print("spec {} optimisation={} target_cpu={}\n", report.summary(),
             workshop.build.optimisation, to_string(workshop.build.target_cpu));
  return report;
}

// The scripts of each proposal that nur refuses.
Result<Report> run_refused(const std::vector<ScriptFile>& scripts, const Options& options,
                           Workshop workshop) {
  std::map<std::string, std::vector<Job>> jobs;
  for (const ScriptFile& script : scripts) {
    if (script.refused_proposal.empty()) continue;
    jobs[script.refused_proposal].push_back(
        {script.label, [&script, workshop](const Path& folder) mutable {
           workshop.folder = folder;
           return run(script, {}, workshop);
         }});
  }
  Report total;
  for (const auto& [proposal, of_proposal] : jobs) {
    Report report =
        NUR_TRY(run_jobs(of_proposal, options.jobs, workshop.interrupt, [](auto&&...) {}));
    if (options.files.empty() && report.refused == 0) {
      report.failures.push_back(fmt::format("proposals/{}: nothing is refused by name", proposal));
    }
    show_failures(report, options.failures_shown);
    fmt::print("spec refused={} modules={} refused_by_name={} without_the_feature={} failed={}\n",
               proposal, report.assertions, report.refused, report.passed - report.refused,
               report.failures.size());
    for (const std::string& script : report.unread) {
      fmt::print("  {}: wast2json does not know its syntax\n", script);
    }
    total.add(report);
  }
  return total;
}

// Scripts that the list names and nobody has, when all were looked for.
Result<void> check_skip_list(const SkipList& skips, const std::vector<ScriptFile>& scripts,
                             const Options& options) {
  if (!options.files.empty()) return {};
  for (const auto& [label, lines] : skips) {
    if (std::ranges::find(scripts, label, &ScriptFile::label) == scripts.end()) {
      return fail(ErrorKind::not_found, "{} names {}, which is not in {}", options.skips.string(),
                  label, options.tests.string());
    }
  }
  return {};
}

Result<int> run_everything(const Options& options) {
  const SkipList skips = NUR_TRY(read_skip_list(options.skips));
  const Interrupt interrupt = NUR_TRY(Interrupt::listen());
  const Toolchain toolchain = NUR_TRY(find_toolchain({}, interrupt));
  const ScratchDir artefacts = NUR_TRY(ScratchDir::create("nur-spec-artefacts-"));
  const std::optional<CpuLevel> cpu = cpu_level_from(options.target_cpu);
  if (!cpu || *cpu == CpuLevel::v1) {
    return fail(ErrorKind::invalid_input, "no target cpu {}", options.target_cpu);
  }
  const std::vector<ScriptFile> scripts = find_scripts(options);
  if (scripts.empty() || (!options.files.empty() && scripts.size() != options.files.size())) {
    return fail(ErrorKind::not_found, "{} has not all the scripts that are asked for",
                options.tests.string());
  }
  NUR_TRY(check_skip_list(skips, scripts, options));

  std::size_t failures = 0;
  for (const int level : options.levels) {
    const Workshop workshop{toolchain, interrupt, {level, *cpu}, {}, artefacts.path()};
    failures += NUR_TRY(run_all(scripts, skips, options, workshop)).failures.size();
  }
  const Workshop workshop{toolchain, interrupt, {}, {}, artefacts.path()};
  failures += NUR_TRY(run_refused(scripts, options, workshop)).failures.size();
  return failures == 0 ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Options options;
  options.skips = Path(NUR_SPEC_SOURCES) / "skips.txt";
  const char* const tests = std::getenv("NUR_SPEC_TESTS");
  options.tests = tests != nullptr && *tests != '\0' ? Path(tests) : Path(NUR_SPEC_TESTS_DEFAULT);
  CLI::App app("The WebAssembly specification's own tests, through nur.");
  app.add_option("--optimisation", options.levels, "level of the C compiler; may be repeated (2)")
      ->check(CLI::Range(0, 3))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--target-cpu", options.target_cpu, "as nurc has it (x86-64-v2)");
  app.add_option("--jobs", options.jobs, "scripts run at once")->check(CLI::Range(1, 256));
  app.add_option("--failures", options.failures_shown, "how many failures to print");
  app.add_option("files", options.files, "scripts, like core/br.wast; all without any");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.levels.empty()) options.levels = {2};
  if (!std::filesystem::is_directory(options.tests / "core")) {
    fmt::print(stderr,
               "spec: skipped core and proposals: no WebAssembly spec tests in {}; set "
               "NUR_SPEC_TESTS to a folder with core/*.wast\n",
               options.tests.string());
    return kSkippedByCtest;
  }
  const Result<int> status = run_everything(options);
  if (!status) {
    fmt::print(stderr, "spec: {}\n", status.error().message);
    return 1;
  }
  return *status;
}

}  // namespace
}  // namespace nur::spec

int main(int argc, char** argv) { return nur::spec::main_of(argc, argv); }
