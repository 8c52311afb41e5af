#include "host/artefact/loaded_module.h"

#include <algorithm>
#include <dlfcn.h>
#include <link.h>

#include "base/artefact_file.h"

namespace nur {

Result<std::unique_ptr<LoadedModule>> LoadedModule::load(const Path& file) {
  const std::string bytes = NUR_TRY(read_file(file, kArtefactBytesMax));
  auto verified = verify_elf(bytes, cpu_level_here());
  if (!verified) {
    return fail(ErrorKind::invalid_input, "refused by rule {}: {}",
                to_string(verified.error().rule), verified.error().detail);
  }
  // From here on the loader finds nothing to run and nothing to look up in the file.

  std::unique_ptr<LoadedModule> module(new LoadedModule());
  module->file_ = NUR_TRY(sealed_memfd(file.filename().string(), bytes));
  module->manifest_ = std::move(verified->manifest);
  module->text_begin_ = verified->text_begin;
  module->text_end_ = verified->text_end;

  const std::string path = fmt::format("/proc/self/fd/{}", module->file_.get());
  module->handle_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module->handle_ == nullptr) {
    const char* const reason = ::dlerror();
    return fail(ErrorKind::exhausted, "loading {}: {}", file.string(),
                reason != nullptr ? reason : "unknown reason");
  }
  module->code_ = static_cast<const struct nur_module*>(::dlsym(module->handle_, "nur_module"));
  struct link_map* map = nullptr;
  if (module->code_ == nullptr || ::dlinfo(module->handle_, RTLD_DI_LINKMAP, &map) != 0) {
    return fail(ErrorKind::internal, "loading {}: nur_module is gone after loading", file.string());
  }
  module->base_ = map->l_addr;

  // The manifest is what limits were checked against; the code must say the same.
  const auto functions = static_cast<std::size_t>(
      std::ranges::count(module->manifest_.exports, ExternalKind::function, &ManifestExport::kind));
  const struct nur_module& code = *module->code_;
  if (code.abi_version != NUR_ABI_VERSION || code.instance_bytes % 4096 != 0 ||
      code.instance_bytes == 0 || code.export_count != functions ||
      (code.start != nullptr) != module->manifest_.has_start) {
    return fail(ErrorKind::invalid_input, "refused by rule manifest: it does not fit the code");
  }
  for (std::uint32_t i = 0; i < code.image_run_count; ++i) {
    const nur_image_run& run = code.image_runs[i];
    const std::uint64_t memory = module->initial_memory_bytes();
    if (run.bytes > memory || run.memory_offset > memory - run.bytes) {
      return fail(ErrorKind::invalid_input,
                  "refused by rule manifest: the memory image is larger than the memory");
    }
  }
  return module;
}

LoadedModule::~LoadedModule() {
  if (handle_ != nullptr) ::dlclose(handle_);
}

std::uint64_t LoadedModule::initial_memory_bytes() const {
  return manifest_.memory ? std::uint64_t{manifest_.memory->initial_pages} * NUR_WASM_PAGE_BYTES
                          : 0;
}

std::string LoadedModule::function_at(std::uintptr_t program_counter) const {
  if (program_counter < text_begin() || program_counter >= text_end()) return "unknown function";
  const std::uint64_t address = program_counter - base_;
  const Result<std::string> bytes =
      read_file(fmt::format("/proc/self/fd/{}", file_.get()), kArtefactBytesMax);
  if (!bytes) return "unknown function";
  const Result<std::string_view> elf = unseal(*bytes);
  if (!elf) return "unknown function";
  const auto ranges = decode_function_ranges(find_section(*elf, kFunctionsSection));
  if (!ranges) return "unknown function";
  for (const FunctionRange& range : *ranges) {
    if (address < range.address || address - range.address >= range.bytes) continue;
    return range.name.empty() ? fmt::format("function {}", range.wasm_index) : range.name;
  }
  return "unknown function";
}

}  // namespace nur
