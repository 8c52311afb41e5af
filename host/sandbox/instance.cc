#include "host/sandbox/instance.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>

#include "base/check.h"
#include "base/units.h"
#include "host/sandbox/segment_base.h"

namespace nur {
namespace {

using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

// The first requests of an instance learn, whatever they do later.
constexpr std::uint64_t kFirstRequests = 8;

// What was written once is copied back for ever: who copies more than a little learns anew from
// time to time, in case it was an odd request that wrote them.
constexpr std::uint64_t kRequestsPerLearning = 1024;
constexpr std::size_t kFewBytes = 128 << 10;

// Each run of the image that is mapped is a mapping or two of its own; an image in more pieces is
// copied into every slot.
constexpr std::uint32_t kMappedRunsMax = 8;

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

// What instances begin with when mappings are short: each run of writable pages is two mappings.
constexpr std::size_t kFewRuns = 2;

// The bottom frame of every guest stack.
__attribute__((no_sanitize("address", "undefined"))) void enter_guest(transfer_t from) {
  const auto* const entry = static_cast<const EntryPoint*>(from.data);
  entry->running->host = from.fctx;
  reset_float_control();
  entry->function(entry->instance, entry->values);
  leave_guest_after_return();
}

std::unexpected<Error> out_of_mappings() {
  return fail(ErrorKind::exhausted, "the kernel has no mapping left to protect memory with");
}

}  // namespace

ResetHistory Instance::history_for(const LoadedModule& module, const SandboxLimits& limits) {
  return {pages_in(module.code().instance_bytes), pages_in(module.initial_memory_bytes()),
          limits.scanner != nullptr, limits.reset};
}

Result<std::unique_ptr<Instance>> Instance::create(const LoadedModule& module,
                                                   const SandboxLimits& limits) {
  auto history = std::make_unique<ResetHistory>(history_for(module, limits));
  std::unique_ptr<Instance> instance = NUR_TRY(create(module, limits, *history));
  instance->own_history_ = std::move(history);
  return instance;
}

Result<std::unique_ptr<Instance>> Instance::create(const LoadedModule& module,
                                                   const SandboxLimits& limits,
                                                   ResetHistory& history) {
  const std::uint64_t initial = module.initial_memory_bytes();
  if (initial > limits.memory_bytes_max) {
    return fail(ErrorKind::limit_exceeded, "needs {} of memory to start with, the limit is {}",
                format_size(initial), format_size(limits.memory_bytes_max));
  }
  MemorySlot slot = NUR_TRY(MemorySlot::reserve(module.code().instance_bytes, limits.stack_bytes));
  std::unique_ptr<Instance> instance(new Instance(module, limits, history, std::move(slot)));
  NUR_TRY(instance->commit_memory());
  instance->write_header();
  module.code().initialize(instance->slot_.instance());
  NUR_TRY(instance->guard_area());
  instance->adopt(history.strategy());
  if (instance->barrier_.broken()) return out_of_mappings();
  return instance;
}

SlotAmounts Instance::least_cost(const LoadedModule& module, const SandboxLimits& limits) {
  const struct nur_module& code = module.code();
  SlotAmounts least;
  least.address_bytes = MemorySlot::reservation_bytes(code.instance_bytes, limits.stack_bytes);
  // Two pages of stack, one of the area, one of what we keep, two of page tables.
  least.memory_bytes = 6 * kPageBytes;
  // No access, stack with area, memory; a run of the image divides one.
  least.mappings = 2 + (module.initial_memory_bytes() > 0 ? 1 : 0);
  if (code.image_run_count <= kMappedRunsMax) least.mappings += 2 * code.image_run_count;
  return least;
}

void Instance::update_cost() {
  cost_ = least_cost_;
  const PageSet& writable = barrier_.writable();
  // A mapping ends where protection or origin change; what has no access is one more.
  std::vector<std::size_t> ends;
  for (PageRun run = writable.next_run(0); run.size() > 0; run = writable.next_run(run.end)) {
    ends.push_back(run.begin);
    ends.push_back(run.end);
  }
  if (image_is_mapped_) {
    const struct nur_module& code = module_.code();
    for (const nur_image_run& run : std::span(code.image_runs, code.image_run_count)) {
      ends.push_back(barrier_.area_pages() + pages_in(run.memory_offset));
      ends.push_back(barrier_.area_pages() + pages_in(run.memory_offset + run.bytes));
    }
  }
  std::ranges::sort(ends);
  ends.erase(std::ranges::unique(ends).begin(), ends.end());
  const auto inside = [&](std::size_t end) { return end > 0 && end < writable.room(); };
  cost_.mappings = 2 + static_cast<std::uint64_t>(std::ranges::count_if(ends, inside));
  const bool all = strategy_ == ResetStrategy::scan || strategy_ == ResetStrategy::discard;
  const std::size_t pages =
      all ? std::min(kResidentPagesMax, pages_in(slot_.initial_bytes())) : writable.size();
  cost_.memory_bytes += (pages - 1) * kPageBytes;
}

Instance::Instance(const LoadedModule& module, const SandboxLimits& limits, ResetHistory& history,
                   MemorySlot slot)
    : module_(module),
      memory_bytes_max_(limits.memory_bytes_max),
      scanner_(limits.scanner),
      history_(history),
      slot_(std::move(slot)),
      budget_(limits.budget),
      least_cost_(least_cost(module, limits)),
      cost_(least_cost_),
      plan_({module.code().image_runs, module.code().image_run_count}) {
  running_.text_begin = module.text_begin();
  running_.text_end = module.text_end();
  running_.window_begin = slot_.window_begin();
  running_.window_end = slot_.window_end();
  const StackSlot stack = slot_.stack();
  running_.stack_guard_begin = stack.guard_begin();
  running_.stack_guard_end = stack.guard_end();
  NUR_CHECK(static_cast<std::byte*>(stack.landing()) - static_cast<std::byte*>(stack.top()) >=
            std::ptrdiff_t{kSwitchOutBytes});
  running_.room = stack.top();
  running_.landing = stack.landing();
  running_.instance = slot_.instance();
  running_.barrier = &barrier_;
}

Result<void> Instance::commit_memory() {
  const struct nur_module& code = module_.code();
  NUR_TRY(slot_.commit_initial(module_.initial_memory_bytes()));
  barrier_ = WriteBarrier(slot_.area(), pages_in(slot_.instance_bytes()),
                          pages_in(slot_.initial_bytes()), slot_.saves());
  image_is_mapped_ = code.image_run_count <= kMappedRunsMax;
  for (std::uint32_t i = 0; i < code.image_run_count; ++i) {
    image_is_mapped_ = image_is_mapped_ && module_.image_file_offset(i).has_value();
  }
  if (image_is_mapped_) {
    for (std::uint32_t i = 0; i < code.image_run_count; ++i) {
      NUR_TRY(slot_.map_file(code.image_runs[i].memory_offset, code.image_runs[i].bytes,
                             module_.file(), *module_.image_file_offset(i)));
    }
    return {};
  }
  barrier_.admit_all_memory();
  if (!barrier_.broken()) copy_image();
  if (!barrier_.protect_memory()) return out_of_mappings();
  return {};
}

void Instance::write_header() {
  nur_instance_header& header = *slot_.instance();
  header = {};
  header.call = leave_guest_for_host_call;
  header.copy = copy_in_guest;
  header.fill = fill_in_guest;
  header.host = this;
}

void Instance::copy_image() {
  const struct nur_module& code = module_.code();
  for (std::uint32_t i = 0; i < code.image_run_count; ++i) {
    const nur_image_run& run = code.image_runs[i];
    std::memcpy(slot_.memory() + run.memory_offset, run.data, run.bytes);
  }
}

Result<void> Instance::guard_area() {
  // Header and globals, then the tables; behind them nothing is ever written. Few modules need more
  // than the one page that is always writable.
  const nur_instance_header& header = *slot_.instance();
  std::size_t used = header.tables_used;
  if (used < sizeof header || used > kPageBytes) used = kPageBytes;
  first_page_.assign(slot_.area(), slot_.area() + used);
  if (slot_.instance_bytes() == kPageBytes) return {};
  if (::mprotect(slot_.area() + kPageBytes, slot_.instance_bytes() - kPageBytes, PROT_READ) != 0) {
    return out_of_mappings();
  }
  return {};
}

Result<void> Instance::reset() {
  guest_context_ = nullptr;
  NUR_TRY(slot_.shrink());
  bool overflowed = false;
  switch (strategy_) {
    case ResetStrategy::learned:
    case ResetStrategy::copy_all:
      overflowed = restore_writable();
      break;
    case ResetStrategy::scan:
      restore_scanned();
      break;
    case ResetStrategy::discard:
      plan_.plan_area(barrier_);
      discard_memory();
      plan_.run();
      break;
  }
  std::memcpy(slot_.area(), first_page_.data(), first_page_.size());

  if (++resets_ > settled_) history_.count(barrier_.faults() - counted_faults_, overflowed);
  counted_faults_ = barrier_.faults();
  if (strategy_ != history_.strategy()) adopt(history_.strategy());
  if (barrier_.broken()) return out_of_mappings();
  return {};
}

bool Instance::restore_writable() {
  const std::size_t area_pages = barrier_.area_pages();
  if (barrier_.version() != planned_version_) {
    const PageSet& writable = barrier_.writable();
    const bool learns = strategy_ == ResetStrategy::learned;
    const bool overflowed = learns && writable.size(area_pages) > kResidentPagesMax;
    if (overflowed) {
      if (!image_is_mapped_) barrier_.admit_all_memory();
      discard_memory();
      barrier_.protect_memory();
    } else if (learns) {
      history_.add_hot(writable);
    }
    plan_.plan_area(barrier_);
    for (PageRun run = writable.next_run(area_pages); run.size() > 0;
         run = writable.next_run(run.end)) {
      plan_.add_memory(slot_.memory(), {run.begin - area_pages, run.end - area_pages});
    }
    planned_version_ = barrier_.version();
    update_cost();
    plan_.run();
    return overflowed;
  }
  plan_.run();
  if (resets_ % kRequestsPerLearning == kRequestsPerLearning - 1 &&
      strategy_ == ResetStrategy::learned && plan_.bytes() > kFewBytes) {
    barrier_.protect_memory();
    history_.forget();
    settled_ = resets_ + kFirstRequests;
  }
  return false;
}

void Instance::restore_scanned() {
  plan_.plan_area(barrier_);
  const std::size_t pages = pages_in(slot_.initial_bytes());
  if (scanner_ != nullptr &&
      scanner_->find_written(slot_.memory(), pages, kResidentPagesMax, scanned_)) {
    for (const PageRun& run : scanned_) plan_.add_memory(slot_.memory(), run);
  } else {
    discard_memory();
  }
  plan_.run();
}

void Instance::discard_memory() {
  slot_.discard();
  if (!image_is_mapped_ && !barrier_.broken()) copy_image();
}

void Instance::trim() {
  if (trimmed_ == resets_) return;
  slot_.trim_stack();
  trimmed_ = resets_;
}

void Instance::adopt(ResetStrategy strategy) {
  planned_version_ = 0;  // the plan may be of another way
  if (strategy == ResetStrategy::learned) {
    if (strategy_ != ResetStrategy::learned) barrier_.protect_memory();
    admit_hot();
  } else {
    barrier_.admit_all_memory();
  }
  strategy_ = strategy;
  settled_ = resets_ + kFirstRequests;
  update_cost();
}

void Instance::admit_hot() {
  const PageSet& hot = history_.hot();
  std::vector<PageRun> runs;
  for (PageRun run = hot.next_run(0); run.size() > 0; run = hot.next_run(run.end)) {
    runs.push_back(run);
  }
  if (budget_ != nullptr && budget_->is_short_of_mappings()) merge_runs(runs, kFewRuns);
  for (const PageRun& run : runs) barrier_.admit(run);
}

void Instance::call(nur_export_call function, nur_value* values) {
  function_ = function;
  values_ = values;
  guest_context_ = make_fcontext(slot_.stack().top(), slot_.stack().usable_bytes(), enter_guest);
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
      registers, slot_.stack().frames());
}

std::optional<std::uint32_t> Instance::grow_memory(std::uint32_t pages) {
  if (!module_.manifest().memory) return std::nullopt;
  const std::uint64_t old_bytes = slot_.committed_bytes();
  const auto old_pages = static_cast<std::uint32_t>(old_bytes / NUR_WASM_PAGE_BYTES);
  const std::uint64_t bytes = old_bytes + std::uint64_t{pages} * NUR_WASM_PAGE_BYTES;
  const std::uint64_t declared =
      std::uint64_t{module_.manifest().memory->max_pages} * NUR_WASM_PAGE_BYTES;
  if (bytes > std::min(declared, memory_bytes_max_)) return std::nullopt;
  // Given back with the instance, which is made small again by its reset.
  const SlotAmounts grown{.memory_bytes = bytes - old_bytes};
  if (budget_ != nullptr && !budget_->take(grown)) return std::nullopt;
  if (!slot_.grow(bytes)) {
    if (budget_ != nullptr) budget_->give(grown);
    return std::nullopt;
  }
  if (budget_ != nullptr) charged_.memory_bytes += grown.memory_bytes;
  return old_pages;
}

}  // namespace nur
