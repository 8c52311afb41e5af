#include "host/artefact/loaded_module.h"

#include <algorithm>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <span>
#include <sys/mman.h>

#include "base/artefact_file.h"
#include "base/check.h"
#include "base/elf_segments.h"

namespace nur {
namespace {

constexpr std::uint32_t kPageBytes = 4096;

// Globals, and 100 tables of 65,536 entries of 32 bytes (compiler/wasm/limits.h).
constexpr std::uint32_t kInstanceBytesMax = 256 << 20;

}  // namespace

Result<std::unique_ptr<LoadedModule>> LoadedModule::load(const Path& file) {
  VerifiedArtefact artefact = NUR_TRY(VerifiedArtefact::read(file));
  return load(std::move(artefact));
}

Result<std::unique_ptr<LoadedModule>> LoadedModule::load(VerifiedArtefact artefact) {
  // The loader finds nothing to run and nothing to look up in the file.
  std::unique_ptr<LoadedModule> module(new LoadedModule(std::move(artefact)));
  const std::string& name = module->artefact_.file_name;
  if (module->manifest().profile_generate) {
    NUR_TRY(in_context(module->find_counters(), "refused by rule profile"));
  }

  const std::string path = fmt::format("/proc/self/fd/{}", module->artefact_.file.get());
  module->handle_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module->handle_ == nullptr) {
    const char* const reason = ::dlerror();
    return fail(ErrorKind::exhausted, "loading {}: {}", name,
                reason != nullptr ? reason : "unknown reason");
  }
  module->code_ = static_cast<const struct nur_module*>(::dlsym(module->handle_, "nur_module"));
  struct link_map* map = nullptr;
  if (module->code_ == nullptr || ::dlinfo(module->handle_, RTLD_DI_LINKMAP, &map) != 0) {
    return fail(ErrorKind::internal, "loading {}: nur_module is gone after loading", name);
  }
  module->base_ = map->l_addr;

  NUR_TRY(module->check_module());
  module->find_image();
  return module;
}

void LoadedModule::find_image() {
  // The headers are the verified ones: at the load base, behind each other (rules program_headers
  // and segments_in_file).
  const auto* const headers = reinterpret_cast<const Elf64_Phdr*>(base_ + sizeof(Elf64_Ehdr));
  const std::span segments(headers, reinterpret_cast<const Elf64_Ehdr*>(base_)->e_phnum);
  for (const nur_image_run& run : std::span(code_->image_runs, code_->image_run_count)) {
    std::optional<std::uint64_t>& found = image_file_offsets_.emplace_back();
    const std::uint64_t address = reinterpret_cast<std::uintptr_t>(run.data) - base_;
    for (const Elf64_Phdr& segment : segments) {
      // Bytes of a constant segment are the file's; others may have been relocated.
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      if (address < segment.p_vaddr || run.bytes > segment.p_filesz ||
          address - segment.p_vaddr > segment.p_filesz - run.bytes) {
        continue;
      }
      const std::uint64_t offset = segment.p_offset + (address - segment.p_vaddr);
      if (offset % kPageBytes == 0) found = offset;
    }
  }
}

Result<void> LoadedModule::find_counters() {
  const std::string_view elf = this->elf();
  if (elf.empty()) return fail(ErrorKind::exhausted, "no room to map the file");
  profile_section_ = find_section(elf, kProfileSection);
  counters_ = NUR_TRY(counter_region(profile_section_));
  const auto segments = ElfSegments::check(elf);
  NUR_CHECK(segments.has_value());  // the verifier has passed it
  const ElfSegment* const load = segments->load_of(counters_.address, counters_.bytes);
  if (counters_.bytes > 0 && (load == nullptr || !load->is_writable())) {
    return fail(ErrorKind::invalid_input, "the counters lie outside of writable data");
  }
  return {};
}

Result<std::string> LoadedModule::profile() const {
  if (!manifest().profile_generate) {
    return fail(ErrorKind::invalid_input,
                "it counts nothing; compile it with nurc compile --profile-generate");
  }
  const auto* const begin = reinterpret_cast<const char*>(base_ + counters_.address);
  return encode_profile(profile_section_, std::string_view(begin, counters_.bytes));
}

bool LoadedModule::is_inside(const void* begin, std::uint64_t bytes) const {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uint64_t end = artefact_.facts.load_end;
  return address >= base_ && address - base_ <= end && bytes <= end - (address - base_);
}

bool LoadedModule::is_code(const void* function) const {
  const auto address = reinterpret_cast<std::uintptr_t>(function);
  return address >= text_begin() && address < text_end();
}

Result<void> LoadedModule::check_module() const {
  const auto refuse = [](std::string_view what) {
    return fail(ErrorKind::invalid_input, "refused by rule module: {}", what);
  };
  const struct nur_module& code = *code_;
  const auto functions = static_cast<std::size_t>(
      std::ranges::count(manifest().exports, ExternalKind::function, &ManifestExport::kind));
  if (code.abi_version != NUR_ABI_VERSION) return refuse("its abi version is not the manifest's");
  if (code.instance_bytes == 0 || code.instance_bytes % kPageBytes != 0 ||
      code.instance_bytes > kInstanceBytesMax) {
    return refuse("the instance area has a size that cannot be");
  }
  if (code.export_count != functions || (code.start != nullptr) != manifest().has_start) {
    return refuse("its exports are not the manifest's");
  }
  const auto as_pointer = [](auto function) { return reinterpret_cast<const void*>(function); };
  if (!is_code(as_pointer(code.initialize)) ||
      (code.start != nullptr && !is_code(as_pointer(code.start))) ||
      (functions > 0 && !is_inside(code.exports, functions * sizeof(*code.exports)))) {
    return refuse("a pointer leads out of the object");
  }
  for (std::size_t i = 0; i < functions; ++i) {
    if (!is_code(as_pointer(code.exports[i]))) return refuse("an export is no code of the object");
  }

  const std::uint64_t memory = initial_memory_bytes();
  if (code.image_run_count > 0 &&
      !is_inside(code.image_runs, std::uint64_t{code.image_run_count} * sizeof(nur_image_run))) {
    return refuse("the list of image runs leads out of the object");
  }
  std::uint64_t image_end = 0;
  for (std::uint32_t i = 0; i < code.image_run_count; ++i) {
    const nur_image_run& run = code.image_runs[i];
    if (run.bytes > memory || run.memory_offset > memory - run.bytes ||
        !is_inside(run.data, run.bytes)) {
      return refuse("a run of the memory image is larger than the memory, or outside the object");
    }
    if (run.memory_offset % kPageBytes != 0 || run.bytes % kPageBytes != 0 ||
        run.memory_offset < image_end) {
      return refuse("the runs of the memory image are not of whole pages in ascending order");
    }
    image_end = run.memory_offset + run.bytes;
  }
  return {};
}

LoadedModule::~LoadedModule() {
  if (mapped_file_ != nullptr) ::munmap(mapped_file_, artefact_.facts.file_bytes);
  if (handle_ != nullptr) ::dlclose(handle_);
}

std::uint64_t LoadedModule::initial_memory_bytes() const {
  return manifest().memory ? std::uint64_t{manifest().memory->initial_pages} * NUR_WASM_PAGE_BYTES
                           : 0;
}

std::string_view LoadedModule::elf() const {
  const std::size_t bytes = artefact_.facts.file_bytes;
  if (mapped_file_ == nullptr) {
    void* const mapped =
        ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, artefact_.file.get(), 0);
    if (mapped == MAP_FAILED) return {};
    mapped_file_ = mapped;
  }
  // The bytes are those that were verified, seal included.
  return {static_cast<const char*>(mapped_file_), bytes - kSealBytes};
}

const FunctionTable& LoadedModule::functions() const {
  if (functions_) return *functions_;
  functions_.emplace();
  const std::string_view file = elf();
  if (file.empty()) return *functions_;
  if (const auto table = FunctionTable::read(find_section(file, kFunctionsSection))) {
    functions_ = *table;
  }
  return *functions_;
}

}  // namespace nur
