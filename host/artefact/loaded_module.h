// A verified artefact, loaded: its code mapped by the dynamic loader, its manifest read.
//
// The file is read once, into a memory file that nobody can change any more; what is verified, what
// is loaded and what is read later are the same bytes, whatever happens to the path meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/elf_rules.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/function_table.h"
#include "base/manifest.h"
#include "base/profile.h"
#include "base/result.h"
#include "nur/abi.h"

namespace nur {

class LoadedModule {
 public:
  // Errors: invalid_input, "refused by rule digest: ..." for what the verifier refuses; not_found;
  // limit_exceeded (size); exhausted (memory, descriptors).
  static Result<std::unique_ptr<LoadedModule>> load(const Path& file);

  // Unmaps the code: no instance may be left.
  ~LoadedModule();
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  [[nodiscard]] const struct nur_module& code() const { return *code_; }

  // Where its machine code lies: a fault with another program counter is not the guest's.
  [[nodiscard]] std::uintptr_t text_begin() const { return base_ + text_begin_; }
  [[nodiscard]] std::uintptr_t text_end() const { return base_ + text_end_; }

  // Bytes of the initial memory, 0 without one.
  [[nodiscard]] std::uint64_t initial_memory_bytes() const;

  // What the table of functions counts its addresses from.
  [[nodiscard]] std::uintptr_t load_base() const { return base_; }

  // What its counters hold now, as the file that nurc compile --profile-use reads
  // (docs/profile.md). Errors: invalid_input when it was not compiled to count.
  [[nodiscard]] Result<std::string> profile() const;

  // Names its functions and tells how to walk their frames; without any when the artefact was
  // stripped, or its table is malformed. Mapped when it is first asked for.
  [[nodiscard]] const FunctionTable& functions() const;

 private:
  LoadedModule() = default;
  // Holds nur_module against the manifest and the places of the object: the host follows its
  // pointers from here on. Errors: invalid_input.
  Result<void> check_module() const;
  // Finds the counters. Errors: invalid_input when they lie outside of writable data.
  Result<void> find_counters(std::string_view elf);
  [[nodiscard]] bool is_inside(const void* begin, std::uint64_t bytes) const;
  [[nodiscard]] bool is_code(const void* function) const;

  Fd file_;  // the sealed memory file
  std::size_t file_bytes_ = 0;
  mutable void* mapped_file_ = nullptr;  // read-only, once somebody has asked for functions()
  mutable std::optional<FunctionTable> functions_;
  Manifest manifest_;
  std::string profile_section_;  // of artefacts that count
  CounterRegion counters_;       // inside writable data
  void* handle_ = nullptr;       // of dlopen
  const struct nur_module* code_ = nullptr;
  std::uintptr_t base_ = 0;
  std::uintptr_t text_begin_ = 0;
  std::uintptr_t text_end_ = 0;
  std::uintptr_t load_end_ = 0;
};

}  // namespace nur
