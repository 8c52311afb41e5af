#include "tests/spec/live_module.h"

#include <chrono>

namespace nur::spec {
namespace {

// Far above what any command takes; a loop without end must not hold the whole run up.
constexpr std::chrono::seconds kCallTime{60};

// The scripts ask for whatever a 32-bit memory can have.
constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{4} << 30;

Outcome trapped(nur_trap trap) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::trapped;
  outcome.trap = trap;
  return outcome;
}

Outcome expired() {
  Outcome outcome;
  outcome.kind = Outcome::Kind::expired;
  return outcome;
}

}  // namespace

Result<std::unique_ptr<LiveModule>> LiveModule::make(LinkedModule linked, const Workshop& workshop,
                                                     const TrapGuard& guard) {
  std::unique_ptr<LiveModule> live(new LiveModule(std::move(linked), guard));
  live->module_ = NUR_TRY(read_module(live->linked_.bytes));
  const Path artefact = NUR_TRY(compile_to_file(live->module_, live->linked_.bytes, workshop));
  live->loaded_ = NUR_TRY(LoadedModule::load(artefact));
  SandboxLimits limits;
  limits.memory_bytes_max = kMemoryBytesMax;
  live->instance_ = NUR_TRY(Instance::create(*live->loaded_, limits));
  return live;
}

Outcome LiveModule::start() {
  nur_value none{};
  const nur_export_call function = loaded_->code().start;
  return function == nullptr ? Outcome{} : run(function, &none);
}

Outcome LiveModule::call(std::uint32_t entry, nur_value* values) {
  return run(loaded_->code().exports[entry], values);
}

Outcome LiveModule::run(nur_export_call function, nur_value* values) {
  const TimePoint deadline = SystemClock().now() + kCallTime;
  instance_->call(function, values);
  while (true) {
    const GuestStop& stop = instance_->resume(guard_, deadline);
    switch (stop.kind) {
      case GuestStop::Kind::returned:
        return {};
      case GuestStop::Kind::trapped:
        return trapped(stop.trap);
      case GuestStop::Kind::expired:
        return expired();
      case GuestStop::Kind::switched_out:
        break;
      case GuestStop::Kind::host_call:
        if (const std::optional<Outcome> outcome = serve(stop)) return *outcome;
        if (instance_->interrupted()) return expired();
        break;
    }
  }
}

std::optional<Outcome> LiveModule::serve(const GuestStop& stop) {
  if (stop.call == NUR_CALL_INTERRUPTED) return std::nullopt;
  if (stop.call == NUR_CALL_GROW_MEMORY) {
    const std::optional<std::uint32_t> old_pages = instance_->grow_memory(stop.values[0].i32);
    stop.values[0].i64 = old_pages.value_or(UINT32_MAX);
    stop.values[1].i64 = instance_->memory().size();
    return std::nullopt;
  }
  const External& callee = linked_.functions.at(stop.call);
  if (callee.owner == nullptr) return std::nullopt;
  const Outcome outcome = callee.owner->call(callee.entry, stop.values);
  if (outcome.kind == Outcome::Kind::returned) return std::nullopt;
  return outcome;
}

Result<External> LiveModule::find_export(std::string_view name) {
  const WasmExport* const found = module_.find_export(name);
  if (found == nullptr) return fail(ErrorKind::not_found, "unknown import: no export {}", name);
  External external;
  external.kind = found->kind;
  external.owner = this;
  switch (found->kind) {
    case ExternalKind::function: {
      const ManifestExport* const described = loaded_->manifest().find_function(name);
      if (described == nullptr) {
        return fail(ErrorKind::internal, "the artefact lost its export {}", name);
      }
      external.type = described->type;
      external.entry = described->entry;
      break;
    }
    case ExternalKind::global: {
      external.value_type = module_.globals[found->index].type;
      external.is_mutable = module_.globals[found->index].is_mutable;
      const External getter = NUR_TRY(find_export(getter_name(name)));
      if (call(getter.entry, &external.value).kind != Outcome::Kind::returned) {
        return fail(ErrorKind::internal, "global {} cannot be read", name);
      }
      break;
    }
    case ExternalKind::table:
      external.value_type = module_.tables[found->index].element;
      external.limits = module_.tables[found->index].entries;
      break;
    case ExternalKind::memory:
      external.limits = module_.memories[found->index].pages;
      external.limits.initial =
          static_cast<std::uint32_t>(instance_->memory().size() / NUR_WASM_PAGE_BYTES);
      break;
  }
  return external;
}

}  // namespace nur::spec
