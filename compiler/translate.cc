#include "compiler/translate.h"

#include "compiler/generated_c.h"

namespace nur {
namespace {

// wasm2c's C is up to some hundred times the module (deep nesting is indented).
constexpr std::size_t kGeneratedBytesMax = std::size_t{512} << 20;

}  // namespace

Result<CSources> translate(const Path& folder, const Toolchain& toolchain,
                           const Interrupt& interrupt) {
  Command command;
  command.arguments = {toolchain.wasm2c.path.string(),
                       "--enable-extended-const",
                       "--no-debug-names",
                       "--module-name=m",
                       "--output=m.c",
                       "module.wasm"};
  command.folder = folder;
  NUR_TRY(run_process(command, interrupt));

  // Written by a program of uncertain health: both files are read back, nothing is assumed.
  std::string generated = NUR_TRY(read_output(folder / "m.c", kGeneratedBytesMax));
  const std::string adapted = NUR_TRY(adapt_generated_c(std::move(generated)));
  NUR_TRY(write_file(folder / "m.c", adapted));
  return CSources{folder};
}

}  // namespace nur
