#include "compiler/unit_key.h"

#include <sys/stat.h>

#include "base/artefact_file.h"
#include "runtime/embedded.h"

namespace nur {
namespace {

std::string digest_of(std::string_view text) { return to_hex(sha256(text)); }

// Path, size and time of change of a program: an update changes one of them.
std::string identity_of(const Path& program) {
  struct stat status {};
  if (::stat(program.c_str(), &status) != 0) return program.string();
  return fmt::format("{} {} {}.{}", program.string(), status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

// A program that the compiler runs; where it has none of that name it is one program itself.
Result<std::string> part_identity(const Toolchain& toolchain, const char* name,
                                  const Interrupt& interrupt) {
  Command command;
  command.folder = "/";
  command.only_reads = true;
  command.arguments = {toolchain.compiler.path.string(), fmt::format("-print-prog-name={}", name)};
  std::string path = NUR_TRY(run_trusted_process(command, interrupt));
  while (path.ends_with('\n')) path.pop_back();
  if (!path.starts_with('/')) path = "/usr/bin/" + path;
  return identity_of(path);
}

}  // namespace

std::string compiler_identity(const Toolchain& toolchain, const Interrupt& interrupt) {
  std::string text = toolchain.compiler.version + "\n";
  text += identity_of(toolchain.compiler.path) + "\n";
  for (const char* part : {"cc1", "as"}) {
    text += part_identity(toolchain, part, interrupt).value_or(part) + "\n";
  }
  return text;
}

Result<std::string> common_key(const CSources& sources, const std::vector<std::string>& flags,
                               std::string_view identity, const Toolchain& toolchain,
                               const Interrupt& interrupt) {
  std::string text = "nur-unit-v1\n";
  text += identity;

  // The system's headers are in here, too.
  Command command;
  command.folder = sources.folder;
  command.arguments = {toolchain.compiler.path.string(), "-x", "c", "-w", "-DNDEBUG", "-I."};
  command.arguments.insert(command.arguments.end(), flags.begin(), flags.end());
  command.arguments.insert(command.arguments.end(), {"-E", "m-impl.h", "-o", "header.i"});
  NUR_TRY(run_trusted_process(command, interrupt));
  constexpr std::size_t kHeaderBytesMax = std::size_t{64} << 20;
  text += digest_of(NUR_TRY(read_output(sources.folder / "header.i", kHeaderBytesMax))) + "\n";
  for (const EmbeddedFile& file : runtime_files()) text += digest_of(file.bytes) + "\n";
  return digest_of(text);
}

std::string unit_key(std::string_view common, const std::vector<std::string>& flags,
                     std::string_view text) {
  std::string all(common);
  for (const std::string& flag : flags) all += "\n" + flag;
  all += "\n" + digest_of(text);
  return digest_of(all);
}

}  // namespace nur
