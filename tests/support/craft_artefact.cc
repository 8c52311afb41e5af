#include "tests/support/craft_artefact.h"

#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "nur/abi.h"

namespace nur::test {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{64} << 20;

constexpr std::string_view kCompile =
    "g++ -x c -std=gnu11 -O2 -fPIC -fvisibility=hidden -I" NUR_RUNTIME_INCLUDE;

constexpr std::string_view kLinkFlags =
    "-nostdlib -nostartfiles -Wl,-z,now,-z,relro,-z,noexecstack,-z,defs,-z,separate-code,"
    "--hash-style=sysv,--build-id=sha1,-Bsymbolic,--no-undefined,--gc-sections";

constexpr std::string_view kNoExecutableStack = "\n.section .note.GNU-stack,\"\",@progbits\n";

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return detail::take(std::move(result));
}

void run(const Path& folder, const std::string& command) {
  const std::string line =
      fmt::format("cd '{}' && LC_ALL=C {} >log 2>&1 </dev/null", folder.string(), command);
  if (std::system(line.c_str()) == 0) return;
  throw std::runtime_error(
      fmt::format("{}\n{}", command, value_of(read_file(folder / "log", kFileBytesMax))));
}

void write(const Path& path, std::string_view text) { value_of(write_file(path, text)); }

std::string note_assembly() {
  return R"(
    .section .note.nur,"a",@note
    .balign 4
    .long 4, 2f - 1f, 1
    .asciz "nur"
  1: .incbin "manifest.json"
  2: .balign 4
  )" + std::string(kNoExecutableStack);
}

}  // namespace

Manifest crafted_manifest() {
  Manifest manifest;
  manifest.abi_version = NUR_ABI_VERSION;
  manifest.guest_abi = GuestAbi::typed;
  manifest.wasm_sha256 = to_hex(sha256("crafted"));
  manifest.exports = {
      {.name = "add",
       .kind = ExternalKind::function,
       .type = {.parameters = {ValueType::i32, ValueType::i32}, .results = {ValueType::i32}},
       .entry = 0},
      {.name = "memory", .kind = ExternalKind::memory, .type = {}, .entry = 0}};
  manifest.memory = MemoryLimits{.initial_pages = 1, .max_pages = 16, .imported = false};
  manifest.target_cpu = CpuLevel::v1;
  manifest.nurc_version = "0.1.0";
  manifest.wasm2c_version = "1.0.36";
  manifest.compiler = "g++";
  manifest.flags = "-O2";
  return manifest;
}

std::string crafted_source() {
  return R"(
    #include "nur/abi.h"

    static void add(struct nur_instance_header* instance, union nur_value* values) {
      (void)instance;
      values[0].i32 += values[1].i32;
    }
    static void initialize(struct nur_instance_header* instance) { instance->tables_used = 0; }

    static const nur_export_call exports[] = {add};
    static const uint8_t page[4096] __attribute__((aligned(4096))) = "the first page of memory";
    static const struct nur_image_run image_runs[] = {{0, sizeof page, page}};

    __attribute__((visibility("default"))) const struct nur_module nur_module = {
        .abi_version = NUR_ABI_VERSION,
        .instance_bytes = 4096,
        .export_count = 1,
        .image_run_count = 1,
        .exports = exports,
        .image_runs = image_runs,
        .initialize = initialize,
    };
  )";
}

std::string craft_elf(const ArtefactRecipe& recipe) {
  const ScratchDir scratch = value_of(ScratchDir::create("nur-craft-"));
  const Path& folder = scratch.path();
  std::vector<std::string> objects{"module.o"};
  write(folder / "module.c", recipe.source);
  run(folder, fmt::format("{} -c module.c -o module.o", kCompile));
  if (!recipe.more_source.empty()) {
    write(folder / "more.c", recipe.more_source);
    run(folder, fmt::format("{} -c more.c -o more.o", kCompile));
    objects.emplace_back("more.o");
  }
  if (!recipe.assembly.empty()) {
    write(folder / "more.s", recipe.assembly + std::string(kNoExecutableStack));
    run(folder, "g++ -c more.s -o assembly.o");
    objects.emplace_back("assembly.o");
  }
  if (!recipe.manifest.empty()) {
    write(folder / "manifest.json", recipe.manifest);
    write(folder / "note.s", note_assembly());
    run(folder, "g++ -c note.s -o note.o");
    objects.emplace_back("note.o");
  }
  run(folder, fmt::format("g++ {} {} {} {} -o linked.so", recipe.shared ? "-shared" : "-pie",
                          kLinkFlags, fmt::join(objects, " "), fmt::join(recipe.link_flags, " ")));
  run(folder, "objcopy --strip-all linked.so stripped.so");
  if (!recipe.functions.empty()) {
    write(folder / "functions", encode_function_table(recipe.functions));
    run(folder, fmt::format("objcopy --add-section {}=functions stripped.so", kFunctionsSection));
  }
  return value_of(read_file(folder / "stripped.so", kFileBytesMax));
}

const std::string& good_elf() {
  static const std::string elf = craft_elf({});
  return elf;
}

const std::string& good_artefact() {
  static const std::string artefact = seal(good_elf());
  return artefact;
}

}  // namespace nur::test
