// One running copy of a module: a slot of memory, and the code that is entered in it.
//
//   create -> [ fresh ] -> call -> resume ... -> stopped -> reset -> [ fresh ] -> ...
//                                    ^   |
//                                    +---+  host call, or the end of its slice of time
//
// Guest code runs on the instance's own stack and leaves it for every host call, so host functions
// run on the host's stack, no C++ frame ever lies on a guest's, and stopping a guest is forgetting
// its stack.
//
// Reset costs what the requests before have written: pages that were never written are not even
// looked at (write_barrier.h), the others are copied back. Stacks need no reset: generated code
// initialises every local before it reads it, and the host reads frames only of a guest that was
// stopped, for its backtrace.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/artefact/loaded_module.h"
#include "host/sandbox/guest_memory.h"
#include "host/sandbox/memory_slot.h"
#include "host/sandbox/page_scanner.h"
#include "host/sandbox/reset_history.h"
#include "host/sandbox/reset_plan.h"
#include "host/sandbox/slot_budget.h"
#include "host/sandbox/trap_guard.h"
#include "host/sandbox/write_barrier.h"

namespace nur {

struct SandboxLimits {
  std::uint64_t memory_bytes_max = std::uint64_t{128} << 20;
  std::size_t stack_bytes = std::size_t{1} << 20;
  SlotBudget* budget = nullptr;          // what pools share; outlives them
  const PageScanner* scanner = nullptr;  // where there is one; outlives the instances
  std::optional<ResetStrategy> reset =
      std::nullopt;  // no choice by statistics: for tests and benches
};

class Instance {
 public:
  // A fresh instance. `module` outlives it.
  // Errors: limit_exceeded when the initial memory is above the limit; exhausted.
  static Result<std::unique_ptr<Instance>> create(const LoadedModule& module,
                                                  const SandboxLimits& limits);
  // One that begins with what others have learned, and adds to it. `history`, of history_for(),
  // outlives it.
  static Result<std::unique_ptr<Instance>> create(const LoadedModule& module,
                                                  const SandboxLimits& limits,
                                                  ResetHistory& history);
  static ResetHistory history_for(const LoadedModule& module, const SandboxLimits& limits);

  // What it holds when it is fresh, roughly: addresses, resident memory, mappings.
  [[nodiscard]] SlotAmounts cost() const { return cost_; }
  // The least that one of this module holds.
  static SlotAmounts least_cost(const LoadedModule& module, const SandboxLimits& limits);
  // What its pool's budget was charged for it.
  [[nodiscard]] const SlotAmounts& charged() const { return charged_; }
  void set_charged(const SlotAmounts& amounts) { charged_ = amounts; }

  // Every byte of memory, globals and tables as they were after create().
  // Errors: exhausted; the instance must not be used again then.
  Result<void> reset();

  // Of a fresh instance that waits: gives back stack that a deep request has left behind. One
  // system call if it was used since the last time.
  void trim();

  // Gets ready to call `function` with the values in `values`, where its results will be, too.
  // `values` stays valid until the call has ended.
  void call(nur_export_call function, nur_value* values);

  // Runs the guest until it returns, traps, expires, wants a host call or is switched out; after
  // the last two (and when a host call's values are filled in), again. It expires at `deadline`,
  // and is switched out at `slice_end`; both are absolute.
  const GuestStop& resume(const TrapGuard& guard, TimePoint deadline,
                          TimePoint slice_end = TimePoint::max());

  // Why it last left its stack.
  [[nodiscard]] const GuestStop& last_stop() const { return running_.stop; }

  // True when the alarm came where the guest could not be stopped, in a bulk operation or on its
  // way to a host function: the deadline has passed, or the slice is over.
  [[nodiscard]] bool interrupted() const { return slot_.instance()->interrupt != 0; }
  // It was the slice, and the guest may be resumed.
  void clear_interrupt() { slot_.instance()->interrupt = 0; }

  // Who called whom when it stopped, as backtrace_text has it; of a host call, from the function
  // that made it on. For guests that will not be resumed or reset before.
  [[nodiscard]] std::string backtrace() const;

  // memory.grow: old size in pages, or nullopt when the limits or the machine say no.
  std::optional<std::uint32_t> grow_memory(std::uint32_t pages);

  [[nodiscard]] GuestMemory memory() {
    return GuestMemory(slot_.memory(), slot_.committed_bytes(), &barrier_);
  }
  // Globals and tables as they are, with the header before them.
  [[nodiscard]] std::span<const std::byte> area() const {
    return {slot_.area(), slot_.instance_bytes()};
  }
  [[nodiscard]] const WriteBarrier& barrier() const { return barrier_; }
  [[nodiscard]] const LoadedModule& module() const { return module_; }

 private:
  Instance(const LoadedModule& module, const SandboxLimits& limits, ResetHistory& history,
           MemorySlot slot);
  // Puts the initial linear memory in place. Errors: exhausted.
  Result<void> commit_memory();
  void write_header();
  void copy_image();
  // Keeps what reset() restores of the area's first page, and guards the others. Errors: exhausted.
  Result<void> guard_area();
  // Make linear memory and tables as they were, by what was written; true when that was too much.
  bool restore_writable();
  void restore_scanned();
  // Makes linear memory pristine, whatever was written; all of it must be writable if the image is
  // not mapped.
  void discard_memory();
  // Linear memory is pristine: from here on it is reset that way.
  void adopt(ResetStrategy strategy);
  // Makes writable what other instances have learned.
  void admit_hot();
  void update_cost();

  const LoadedModule& module_;
  const std::uint64_t memory_bytes_max_;
  const PageScanner* const scanner_;
  std::unique_ptr<ResetHistory> own_history_;  // of an instance that shares it with nobody
  ResetHistory& history_;
  MemorySlot slot_;
  WriteBarrier barrier_;
  bool image_is_mapped_ = false;
  std::vector<std::byte> first_page_;  // the used part of the area's first page, pristine

  SlotBudget* const budget_;
  SlotAmounts least_cost_;
  SlotAmounts cost_;
  SlotAmounts charged_;
  ResetStrategy strategy_ = ResetStrategy::learned;
  ResetPlan plan_;
  std::uint64_t planned_version_ = 0;
  std::vector<PageRun> scanned_;
  std::uint64_t resets_ = 0;
  std::uint64_t trimmed_ = 0;         // resets_ at the last trim
  std::uint64_t settled_ = 0;         // so many resets make its requests worth counting
  std::uint64_t counted_faults_ = 0;  // of barrier_, up to the last reset

  RunningGuest running_;
  boost::context::detail::fcontext_t guest_context_ = nullptr;
  nur_export_call function_ = nullptr;
  nur_value* values_ = nullptr;
};

}  // namespace nur
