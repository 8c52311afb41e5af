#include "compiler/translate.h"

#include "compiler/generated_c.h"
#include "compiler/limits.h"

namespace nur {
namespace {

// The least that makes wasm2c give functions external linkage and put what they share in a header.
constexpr int kOutputs = 2;

Result<GeneratedC> run_wasm2c(const Path& folder, const Toolchain& toolchain,
                              const Interrupt& interrupt) {
  Command command;
  command.arguments = {toolchain.wasm2c.path.string(),
                       "--enable-extended-const",
                       "--no-debug-names",
                       "--module-name=m",
                       fmt::format("--num-outputs={}", kOutputs),
                       "--output=m.c",
                       "module.wasm"};
  command.folder = folder;
  command.limits.file_bytes = kGeneratedBytesMax;
  NUR_TRY(run_process(command, interrupt));

  // Written by a program of uncertain health: all files are read back, nothing is assumed.
  GeneratedC generated;
  generated.header = NUR_TRY(read_output(folder / "m-impl.h", kGeneratedBytesMax));
  std::size_t left = kGeneratedBytesMax;
  for (int output = 0; output < kOutputs; ++output) {
    const Path file = folder / fmt::format("m_{}.c", output);
    std::string text = NUR_TRY(read_output(file, left));
    left -= text.size();
    generated.sources.push_back(NUR_TRY(adapt_generated_source(std::move(text))));
    std::error_code ignored;  // the scratch folder goes with all it holds
    std::filesystem::remove(file, ignored);
  }
  return generated;
}

}  // namespace

Result<CSources> translate(const Path& folder, const Toolchain& toolchain,
                           const Interrupt& interrupt) {
  GeneratedC generated = NUR_TRY(run_wasm2c(folder, toolchain, interrupt));
  // The first file has the module's function types; the header includes their numbers.
  const std::string types = NUR_TRY(function_type_numbers(generated.sources.front()));
  NUR_TRY(write_file(folder / "nur_types.h", types));
  generated.header = NUR_TRY(adapt_generated_c(std::move(generated.header)));
  const CUnits cut = NUR_TRY(cut_into_units(generated));

  NUR_TRY(write_file(folder / "m-impl.h", cut.header));
  std::string declarations = NUR_TRY(read_output(folder / "m.h", kGeneratedBytesMax));
  const std::string adapted = NUR_TRY(adapt_generated_header(std::move(declarations)));
  NUR_TRY(write_file(folder / "m.h", adapted));
  CSources sources;
  sources.folder = folder;
  for (const CUnit& unit : cut.units) {
    SourceUnit source{fmt::format("m{}.c", sources.units.size()), unit.bytes, unit.effort};
    NUR_TRY(write_file(folder / source.source, std::span(unit.pieces)));
    sources.units.push_back(std::move(source));
  }
  return sources;
}

}  // namespace nur
