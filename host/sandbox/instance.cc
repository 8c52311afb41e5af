#include "host/sandbox/instance.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/units.h"
#include "host/sandbox/segment_base.h"

namespace nur {
namespace {

using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

// Up to here copying the image over the memory costs less than giving pages back and faulting them
// in anew (docs/measurements.md, reset).
constexpr std::uint64_t kCopyBytesMax = 256 << 10;

struct EntryPoint {
  RunningGuest* running;
  nur_export_call function;
  nur_instance_header* instance;
  nur_value* values;
};

// Rounding to nearest, nothing raises: whatever the host or another guest has left there.
inline void reset_float_control() {
  constexpr std::uint32_t kMxcsr = 0x1f80;
  constexpr std::uint16_t kX87 = 0x37f;
  asm volatile("ldmxcsr %0" : : "m"(kMxcsr));
  asm volatile("fldcw %0" : : "m"(kX87));
}

// The bottom frame of every guest stack.
__attribute__((no_sanitize("address", "undefined"))) void enter_guest(transfer_t from) {
  const auto* const entry = static_cast<const EntryPoint*>(from.data);
  entry->running->host = from.fctx;
  reset_float_control();
  entry->function(entry->instance, entry->values);
  leave_guest_after_return();
}

}  // namespace

Result<std::unique_ptr<Instance>> Instance::create(const LoadedModule& module,
                                                   const SandboxLimits& limits) {
  const std::uint64_t initial = module.initial_memory_bytes();
  if (initial > limits.memory_bytes_max) {
    return fail(ErrorKind::limit_exceeded, "needs {} of memory to start with, the limit is {}",
                format_size(initial), format_size(limits.memory_bytes_max));
  }
  MemorySlot slot = NUR_TRY(MemorySlot::reserve(module.code().instance_bytes));
  StackSlot stack = NUR_TRY(StackSlot::reserve(limits.stack_bytes));
  NUR_TRY(slot.commit(initial));
  std::unique_ptr<Instance> instance(
      new Instance(module, limits, std::move(slot), std::move(stack)));
  instance->write_header();
  instance->copy_image();
  module.code().initialize(instance->slot_.instance());
  return instance;
}

Instance::Instance(const LoadedModule& module, const SandboxLimits& limits, MemorySlot slot,
                   StackSlot stack)
    : module_(module),
      memory_bytes_max_(limits.memory_bytes_max),
      slot_(std::move(slot)),
      stack_(std::move(stack)) {
  running_.text_begin = module.text_begin();
  running_.text_end = module.text_end();
  running_.window_begin = slot_.window_begin();
  running_.window_end = slot_.window_end();
  running_.stack_guard_begin = stack_.guard_begin();
  running_.stack_guard_end = stack_.guard_end();
  NUR_CHECK(static_cast<std::byte*>(stack_.landing()) - static_cast<std::byte*>(stack_.top()) >=
            std::ptrdiff_t{kSwitchOutBytes});
  running_.room = stack_.top();
  running_.landing = stack_.landing();
  running_.instance = slot_.instance();
}

void Instance::write_header() {
  nur_instance_header& header = *slot_.instance();
  header = {};
  header.call = leave_guest_for_host_call;
  header.copy = std::memmove;
  header.fill = std::memset;
  header.host = this;
}

void Instance::copy_image() {
  const struct nur_module& code = module_.code();
  for (std::uint32_t i = 0; i < code.image_run_count; ++i) {
    const nur_image_run& run = code.image_runs[i];
    std::memcpy(slot_.memory() + run.memory_offset, run.data, run.bytes);
  }
}

Result<void> Instance::reset() {
  const std::uint64_t initial = module_.initial_memory_bytes();
  NUR_TRY(slot_.decommit_above(initial));
  if (initial <= kCopyBytesMax) {
    std::memset(slot_.memory(), 0, initial);
  } else {
    slot_.discard();
  }
  write_header();
  copy_image();
  module_.code().initialize(slot_.instance());
  guest_context_ = nullptr;
  return {};
}

void Instance::call(nur_export_call function, nur_value* values) {
  function_ = function;
  values_ = values;
  guest_context_ = make_fcontext(stack_.top(), stack_.usable_bytes(), enter_guest);
}

const GuestStop& Instance::resume(const TrapGuard& guard, TimePoint deadline, TimePoint slice_end) {
  NUR_CHECK(guest_context_ != nullptr);
  EntryPoint entry{&running_, function_, slot_.instance(), values_};
  running_.deadline = deadline;
  running_.slice_end = slice_end;
  running_.stop = {};
  point_gs_at(slot_.memory());
  guest_context_ = guard.run(running_, guest_context_, &entry);
  const GuestStop::Kind kind = running_.stop.kind;
  const bool goes_on = kind == GuestStop::Kind::host_call || kind == GuestStop::Kind::switched_out;
  if (!goes_on) guest_context_ = nullptr;
  return running_.stop;
}

std::string Instance::backtrace() const {
  GuestRegisters registers = running_.registers;
  if (running_.stop.kind == GuestStop::Kind::host_call) {
    // The frame of leave_guest_for_host_call: rbp, return address, and the caller's frame above.
    std::uint64_t frame[2];
    std::memcpy(frame, running_.stop.frame, sizeof frame);
    registers = {};
    registers.general[kDwarfRbp] = frame[0];
    registers.general[kDwarfRsp] =
        reinterpret_cast<std::uintptr_t>(running_.stop.frame) + sizeof frame;
    registers.program_counter = frame[1];
    registers.in_call = true;
  }
  return backtrace_text(
      {module_.functions(), module_.load_base(), module_.text_begin(), module_.text_end()},
      registers, stack_.frames());
}

std::optional<std::uint32_t> Instance::grow_memory(std::uint32_t pages) {
  if (!module_.manifest().memory) return std::nullopt;
  const std::uint64_t old_bytes = slot_.committed_bytes();
  const auto old_pages = static_cast<std::uint32_t>(old_bytes / NUR_WASM_PAGE_BYTES);
  const std::uint64_t bytes = old_bytes + std::uint64_t{pages} * NUR_WASM_PAGE_BYTES;
  const std::uint64_t declared =
      std::uint64_t{module_.manifest().memory->max_pages} * NUR_WASM_PAGE_BYTES;
  if (bytes > std::min(declared, memory_bytes_max_)) return std::nullopt;
  if (!slot_.commit(bytes)) return std::nullopt;
  return old_pages;
}

}  // namespace nur
