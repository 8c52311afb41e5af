// A call of an exported function over numbers, from text and to text: "3,4" -> "7".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/manifest.h"
#include "base/result.h"
#include "host/sandbox/guest_run.h"

namespace nur {

class TypedCall final : public Invocation {
 public:
  // `arguments` as written, one per parameter: decimal or 0x integers within the type's signed or
  // unsigned range; decimal floats, inf, nan. `context` is handed to host functions.
  // Errors: invalid_input, naming the argument and what is expected.
  static Result<TypedCall> prepare(const ManifestExport& function,
                                   const std::vector<std::string>& arguments, void* context);

  // Calls `_initialize` of the module before the function, if it is there: what a C library of a
  // module that is no command is set up by.
  void initialize_by(const Manifest& manifest);

  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) override;
  void* context(std::uint32_t) override { return context_; }

  // After the call has returned: results in order, integers as signed decimals, floats with as many
  // digits as it takes to read them back exactly.
  [[nodiscard]] std::vector<std::string> results() const;

 private:
  TypedCall(const ManifestExport& function, void* context);

  const ManifestExport& function_;
  void* context_;
  std::optional<std::uint32_t> initialize_;  // until it was called
  nur_value unused_{};
  std::vector<nur_value> values_;
  bool called_ = false;
};

// True when every parameter and result is an i32, i64, f32 or f64.
bool is_callable_with_numbers(const FunctionType& type);

// The function that a path or command line without an export's name means: the one called `name`,
// "run", "main", or the only one over numbers; those whose name begins with '_', which toolchains
// add, count only if there is no other. nullptr when none of these is there.
const ManifestExport* choose_typed_export(const Manifest& manifest, std::string_view name);

// "3,4" -> {"3", "4"}; white space around each is dropped; "" -> {}.
std::vector<std::string> split_arguments(std::string_view text);

}  // namespace nur
