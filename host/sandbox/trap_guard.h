// The one place where signals meet guests.
//
// A guest is stopped by a signal: a fault it caused, or the alarm of its deadline. At the end of
// its slice of time the same alarm switches it out (switch_out.h). The handler takes a fault for
// the guest's only if the program counter lies in the text of the module that is running *and*, for
// memory faults, the address lies in that instance's memory window or stack guard. Everything else
// is a fault of ours: the default action is restored, and the process dies with a core. To stop a
// guest the handler does not jump: it makes the interrupted context continue in
// leave_guest_stopped() above the guest's frames and returns, so the kernel restores mask and
// signal stack. The registers are kept for a backtrace, which the host makes afterwards.
//
// Before all that: a write to a page of the running guest that is not writable yet is let through
// by its write barrier, whether generated code or a bulk operation made it, and nobody is stopped.
//
// The running guest is the only mutable global of the host; a signal handler has no other way to
// find it. One thread only: a worker is single-threaded.
#pragma once

#include <cstdint>

#include <boost/context/detail/fcontext.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "host/sandbox/backtrace.h"
#include "host/sandbox/fault_record.h"
#include "host/sandbox/switch_out.h"
#include "host/sandbox/write_barrier.h"
#include "nur/abi.h"

namespace nur {

// Why control came back from the guest's stack.
struct GuestStop {
  enum class Kind : std::uint8_t { returned, host_call, trapped, expired, switched_out };
  Kind kind = Kind::returned;
  nur_trap trap = NUR_TRAP_NONE;
  std::uint32_t call = 0;  // of a host call: number of import or NUR_CALL_*
  nur_value* values = nullptr;
  // Of a host call, on the guest's stack: the caller's rbp, and behind it the return address.
  const void* frame = nullptr;
};

// What the handlers need to know about the guest on the CPU.
struct RunningGuest {
  std::uintptr_t text_begin = 0;
  std::uintptr_t text_end = 0;
  std::uintptr_t window_begin = 0;
  std::uintptr_t window_end = 0;
  std::uintptr_t stack_guard_begin = 0;
  std::uintptr_t stack_guard_end = 0;
  void* room = nullptr;     // kSwitchOutBytes for leaving its stack from
  void* landing = nullptr;  // where the room ends
  nur_instance_header* instance = nullptr;
  WriteBarrier* barrier = nullptr;
  TimePoint deadline{};                               // from here on it does not run
  TimePoint slice_end{};                              // from here on others get their turn
  boost::context::detail::fcontext_t host = nullptr;  // where leaving the guest leads
  GuestStop stop;
  GuestRegisters registers;  // where it was, when it was stopped or switched out by a signal
};

// Installs handlers for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGALRM with an alternate stack for the
// calling thread, and makes the deadline timer. Once per process; undone by the destructor.
class TrapGuard {
 public:
  // Errors: exhausted.
  static Result<TrapGuard> install();
  ~TrapGuard();
  TrapGuard(TrapGuard&& other) noexcept;
  TrapGuard& operator=(TrapGuard&&) = delete;

  // Where to leave word of a fault of ours before the process dies of it; outlives the guard.
  static void keep_faults_in(FaultRecord* record);

  // Switches to `guest_context` with `guest` as the running one; returns when it has left its
  // stack, with the context to continue it from. `guest.stop` says why it left.
  boost::context::detail::fcontext_t run(RunningGuest& guest,
                                         boost::context::detail::fcontext_t guest_context,
                                         void* argument) const;

  // What guests are switched out with instead of the best there is: for tests.
  static void save_vectors_with(VectorSave save);

 private:
  explicit TrapGuard(void* signal_stack) : signal_stack_(signal_stack) {}
  void* signal_stack_;
};

// Called on the guest's stack by generated code (nur_instance_header.call).
void leave_guest_for_host_call(nur_instance_header* instance, std::uint32_t call,
                               nur_value* values);

// Bulk operations of generated code (nur_instance_header.copy and fill), on the guest's stack: they
// make writable what they are about to write, so that it costs one fault's work at most.
void* copy_in_guest(void* to, const void* from, std::size_t bytes);
void* fill_in_guest(void* to, int byte, std::size_t bytes);

// Called on the guest's stack when its function has returned.
[[noreturn]] void leave_guest_after_return();

}  // namespace nur
