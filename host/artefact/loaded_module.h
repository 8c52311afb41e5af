// A verified artefact, loaded: its code mapped by the dynamic loader, from the bytes that were
// verified.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/function_table.h"
#include "base/manifest.h"
#include "base/profile.h"
#include "base/result.h"
#include "host/artefact/verified_artefact.h"
#include "nur/abi.h"

namespace nur {

class LoadedModule {
 public:
  // Errors: invalid_input, "refused by rule module: ..." for what only shows in the loaded object;
  // exhausted (memory, descriptors).
  static Result<std::unique_ptr<LoadedModule>> load(VerifiedArtefact artefact);
  // Verifies the file first. Errors: those of VerifiedArtefact::read, too.
  static Result<std::unique_ptr<LoadedModule>> load(const Path& file);

  // Unmaps the code: no instance may be left.
  ~LoadedModule();
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  [[nodiscard]] const Manifest& manifest() const { return artefact_.manifest; }
  [[nodiscard]] const struct nur_module& code() const { return *code_; }

  // Where its machine code lies: a fault with another program counter is not the guest's.
  [[nodiscard]] std::uintptr_t text_begin() const { return base_ + artefact_.facts.text_begin; }
  [[nodiscard]] std::uintptr_t text_end() const { return base_ + artefact_.facts.text_end; }

  // Bytes of the initial memory, 0 without one.
  [[nodiscard]] std::uint64_t initial_memory_bytes() const;

  // The memory file that the artefact was loaded from, and where in it the i-th run of the memory
  // image begins: to be mapped. nullopt when the run is not the file's as it is.
  [[nodiscard]] int file() const { return artefact_.file.get(); }
  [[nodiscard]] std::optional<std::uint64_t> image_file_offset(std::uint32_t i) const {
    return image_file_offsets_[i];
  }

  // What the table of functions counts its addresses from.
  [[nodiscard]] std::uintptr_t load_base() const { return base_; }

  // What its counters hold now, as the file that nurc compile --profile-use reads
  // (docs/profile.md). Errors: invalid_input when it was not compiled to count.
  [[nodiscard]] Result<std::string> profile() const;

  // Names its functions and tells how to walk their frames; without any when the artefact was
  // stripped, or its table is malformed. Mapped when it is first asked for.
  [[nodiscard]] const FunctionTable& functions() const;

 private:
  explicit LoadedModule(VerifiedArtefact artefact) : artefact_(std::move(artefact)) {}
  // Holds nur_module against the manifest and the places of the object: the host follows its
  // pointers from here on. Errors: invalid_input.
  Result<void> check_module() const;
  // Finds the counters. Errors: invalid_input when they lie outside of writable data.
  Result<void> find_counters();
  void find_image();
  // The ELF file, mapped at the first call; empty when there is no room for it.
  [[nodiscard]] std::string_view elf() const;
  [[nodiscard]] bool is_inside(const void* begin, std::uint64_t bytes) const;
  [[nodiscard]] bool is_code(const void* function) const;

  const VerifiedArtefact artefact_;
  mutable void* mapped_file_ = nullptr;  // read-only, once somebody has asked for elf()
  mutable std::optional<FunctionTable> functions_;
  std::vector<std::optional<std::uint64_t>> image_file_offsets_;  // one per run
  std::string profile_section_;                                   // of artefacts that count
  CounterRegion counters_;                                        // inside writable data
  void* handle_ = nullptr;                                        // of dlopen
  const struct nur_module* code_ = nullptr;
  std::uintptr_t base_ = 0;
};

}  // namespace nur
