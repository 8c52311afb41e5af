#include "host/sandbox/trap_guard.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <utility>

#include "base/check.h"
#include "base/file.h"

namespace nur {
namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::transfer_t;

// AddressSanitizer does not know the guests' stacks, so what runs there is not instrumented.
#define NUR_ON_GUEST_STACK __attribute__((noinline, no_sanitize("address", "undefined")))

constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
constexpr std::size_t kSignalStackBytes = 64 << 10;
constexpr std::size_t kSignalStackGuardBytes = 4096;

// A guest that could not be stopped or switched out at once (it was inside a host function or a
// bulk operation of the C library) is tried again after this long.
constexpr Nanoseconds kRetry = Milliseconds(1);

RunningGuest* volatile running = nullptr;
FaultRecord* volatile fault_record = nullptr;

struct Alarm {
  timer_t timer;
  volatile bool armed = false;
  volatile std::int64_t armed_for_ns = 0;  // on CLOCK_MONOTONIC
};
Alarm alarm_timer;

VectorSave vector_save = VectorSave::fxsave;

std::int64_t in_ns(TimePoint point) {
  return std::chrono::duration_cast<Nanoseconds>(point.time_since_epoch()).count();
}

std::int64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void arm(std::int64_t at_ns) {
  alarm_timer.armed = true;
  alarm_timer.armed_for_ns = at_ns;
  itimerspec when{};
  when.it_value.tv_sec = at_ns / 1'000'000'000;
  when.it_value.tv_nsec = at_ns % 1'000'000'000;
  ::timer_settime(alarm_timer.timer, TIMER_ABSTIME, &when, nullptr);
}

TimePoint next_look(const RunningGuest& guest) { return std::min(guest.deadline, guest.slice_end); }

// One timer serves all: while it is due before a guest has to be looked at nothing has to be done,
// so short requests make no system call here. The alarm re-arms it for whoever runs then; so there
// is one a slice at most, however many guests run in it.
void ensure_armed(TimePoint at) {
  const std::int64_t at_ns = in_ns(at);
  if (!alarm_timer.armed || alarm_timer.armed_for_ns > at_ns) arm(at_ns);
}

// Continues the interrupted guest here instead, above its frames.
NUR_ON_GUEST_STACK void leave_guest_stopped() {
  jump_fcontext(running->host, nullptr);
  __builtin_unreachable();
}

// In DWARF's order (psABI, figure 3.36).
constexpr int kGeneralRegisters[kDwarfGeneralRegisters] = {
    REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

void keep_registers(RunningGuest& guest, const ucontext_t& context) {
  const auto& registers = context.uc_mcontext.gregs;
  for (std::size_t i = 0; i < kDwarfGeneralRegisters; ++i) {
    guest.registers.general[i] = static_cast<std::uint64_t>(registers[kGeneralRegisters[i]]);
  }
  guest.registers.program_counter = static_cast<std::uint64_t>(registers[REG_RIP]);
  guest.registers.flags = static_cast<std::uint64_t>(registers[REG_EFL]);
}

void stop_guest(RunningGuest& guest, ucontext_t& context, GuestStop::Kind kind, nur_trap trap) {
  auto& registers = context.uc_mcontext.gregs;
  guest.stop.kind = kind;
  guest.stop.trap = trap;
  keep_registers(guest, context);
  registers[REG_RIP] = reinterpret_cast<greg_t>(&leave_guest_stopped);
  // As if called: the stack is 16-byte aligned before the return address (System V ABI 3.2.2).
  registers[REG_RSP] = static_cast<greg_t>(
      (reinterpret_cast<std::uintptr_t>(guest.landing) & ~std::uintptr_t{15}) - 8);
}

bool in_text(const RunningGuest& guest, std::uintptr_t program_counter) {
  return program_counter >= guest.text_begin && program_counter < guest.text_end;
}

// What the fault means if it is the guest's, NUR_TRAP_NONE if it is ours.
nur_trap classify(const RunningGuest& guest, int signal, const siginfo_t& info,
                  std::uintptr_t program_counter) {
  if (!in_text(guest, program_counter)) return NUR_TRAP_NONE;
  if (signal == SIGSEGV || signal == SIGBUS) {
    const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
    if (address >= guest.window_begin && address < guest.window_end) {
      return NUR_TRAP_OUT_OF_BOUNDS_MEMORY;
    }
    // Without its segment; nothing lies there (low_addresses.h).
    if (address < NUR_ADDRESSABLE_BYTES) return NUR_TRAP_OUT_OF_BOUNDS_MEMORY;
    if (address >= guest.stack_guard_begin && address < guest.stack_guard_end) {
      return NUR_TRAP_STACK_OVERFLOW;
    }
    return NUR_TRAP_NONE;
  }
  if (signal == SIGILL && guest.text_end - program_counter >= NUR_TRAP_INSTRUCTION_BYTES) {
    unsigned char code[NUR_TRAP_INSTRUCTION_BYTES];
    std::memcpy(code, reinterpret_cast<const void*>(program_counter), sizeof code);
    constexpr unsigned char kUd1[] = {0x67, 0x0f, 0xb9, 0x40};
    if (std::memcmp(code, kUd1, sizeof kUd1) == 0 && code[4] > NUR_TRAP_NONE &&
        code[4] < NUR_TRAP_COUNT) {
      return static_cast<nur_trap>(code[4]);
    }
  }
  // Generated code compares divisors first, so a SIGFPE there is a defect of the compiler.
  return NUR_TRAP_NONE;
}

// Whether the access that faulted was a write (page fault error code, bit 1).
bool is_write(const ucontext_t& context) { return (context.uc_mcontext.gregs[REG_ERR] & 2) != 0; }

void on_fault(int signal, siginfo_t* info, void* opaque) {
  auto& context = *static_cast<ucontext_t*>(opaque);
  RunningGuest* const guest = running;
  if (guest != nullptr && info->si_code > 0) {  // raised by the kernel, not by kill(2)
    if (signal == SIGSEGV && is_write(context)) {
      WriteBarrier& barrier = *guest->barrier;
      const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
      if (barrier.admit_fault(address)) return;
      if (barrier.guards(address) && barrier.broken()) {
        stop_guest(*guest, context, GuestStop::Kind::trapped, NUR_TRAP_HOST);
        return;
      }
    }
    const auto program_counter = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
    const nur_trap trap = classify(*guest, signal, *info, program_counter);
    if (trap != NUR_TRAP_NONE) {
      stop_guest(*guest, context, GuestStop::Kind::trapped, trap);
      return;
    }
  }
  // Ours. Returning runs the instruction again, now without a handler.
  if (FaultRecord* const record = fault_record) {
    record->signal = signal;
    record->program_counter = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
    record->address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  }
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(signal, &standard, nullptr);
  if (info->si_code <= 0) ::raise(signal);
}

// The alarm has come: is it for this guest?
void look_at(RunningGuest& guest, ucontext_t& context) {
  const std::int64_t now = now_ns();
  if (now < in_ns(next_look(guest))) {
    arm(in_ns(next_look(guest)));
  } else if (!in_text(guest, static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]))) {
    guest.instance->interrupt = 1;
    arm(now + kRetry.count());
  } else if (now >= in_ns(guest.deadline)) {
    stop_guest(guest, context, GuestStop::Kind::expired, NUR_TRAP_NONE);
  } else {
    guest.stop.kind = GuestStop::Kind::switched_out;
    keep_registers(guest, context);
    switch_out(context, guest.registers, guest.room, vector_save);
  }
}

void on_alarm(int, siginfo_t*, void* opaque) {
  const int saved_errno = errno;
  alarm_timer.armed = false;
  if (RunningGuest* const guest = running; guest != nullptr) {
    look_at(*guest, *static_cast<ucontext_t*>(opaque));
  }
  errno = saved_errno;
}

Result<void> handle(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  // What the host waits for when the alarm comes is not the alarm's business.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  // One handler at a time: the alarm must not come between a fault and what the fault decides.
  sigfillset(&action.sa_mask);
  for (const int fault : kFaults) sigdelset(&action.sa_mask, fault);
  if (::sigaction(signal, &action, nullptr) != 0) {
    return fail(ErrorKind::internal, "{}", system_error_text("installing a signal handler"));
  }
  return {};
}

std::size_t signal_stack_bytes() {
  // The kernel saves all vector registers there; how much that is it says itself.
  return std::max(kSignalStackBytes, std::size_t{4} * ::getauxval(AT_MINSIGSTKSZ)) / 4096 * 4096;
}

}  // namespace

Result<TrapGuard> TrapGuard::install() {
  NUR_CHECK(running == nullptr);
  const std::size_t bytes = signal_stack_bytes();
  void* const mapped = ::mmap(nullptr, kSignalStackGuardBytes + bytes, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("mapping the signal stack"));
  }
  TrapGuard guard(mapped);
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(mapped) + kSignalStackGuardBytes;
  stack.ss_size = bytes;
  if (::mprotect(stack.ss_sp, bytes, PROT_READ | PROT_WRITE) != 0 ||
      ::sigaltstack(&stack, nullptr) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("installing the signal stack"));
  }
  for (const int fault : kFaults) NUR_TRY(handle(fault, on_fault));
  NUR_TRY(handle(SIGALRM, on_alarm));

  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  if (::timer_create(CLOCK_MONOTONIC, &event, &alarm_timer.timer) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("making the deadline timer"));
  }
  alarm_timer.armed = false;
  vector_save = best_vector_save();
  return guard;
}

TrapGuard::TrapGuard(TrapGuard&& other) noexcept
    : signal_stack_(std::exchange(other.signal_stack_, nullptr)) {}

TrapGuard::~TrapGuard() {
  if (signal_stack_ == nullptr) return;
  ::timer_delete(alarm_timer.timer);
  for (const int fault : kFaults) ::signal(fault, SIG_DFL);
  ::signal(SIGALRM, SIG_IGN);  // one may be pending
  stack_t off{};
  off.ss_flags = SS_DISABLE;
  ::sigaltstack(&off, nullptr);
  ::munmap(signal_stack_, kSignalStackGuardBytes + signal_stack_bytes());
}

void TrapGuard::save_vectors_with(VectorSave save) { vector_save = save; }
void TrapGuard::keep_faults_in(FaultRecord* record) { fault_record = record; }

fcontext_t TrapGuard::run(RunningGuest& guest, fcontext_t guest_context, void* argument) const {
  NUR_CHECK(running == nullptr);
  running = &guest;
  ensure_armed(next_look(guest));
  const transfer_t back = jump_fcontext(guest_context, argument);
  running = nullptr;
  return back.fctx;
}

NUR_ON_GUEST_STACK void leave_guest_for_host_call(nur_instance_header*, std::uint32_t call,
                                                  nur_value* values) {
  RunningGuest& guest = *running;
  guest.stop.kind = GuestStop::Kind::host_call;
  guest.stop.call = call;
  guest.stop.values = values;
  guest.stop.frame = __builtin_frame_address(0);
  const transfer_t back = jump_fcontext(guest.host, nullptr);
  // Continued, maybe much later; `running` is the same guest again.
  running->host = back.fctx;
}

NUR_ON_GUEST_STACK void* copy_in_guest(void* to, const void* from, std::size_t bytes) {
  running->barrier->admit(static_cast<const std::byte*>(to), bytes);
  return std::memmove(to, from, bytes);
}

NUR_ON_GUEST_STACK void* fill_in_guest(void* to, int byte, std::size_t bytes) {
  running->barrier->admit(static_cast<const std::byte*>(to), bytes);
  return std::memset(to, byte, bytes);
}

NUR_ON_GUEST_STACK void leave_guest_after_return() {
  running->stop.kind = GuestStop::Kind::returned;
  jump_fcontext(running->host, nullptr);
  __builtin_unreachable();
}

}  // namespace nur

NUR_ON_GUEST_STACK void nur_leave_switched_out() {
  using nur::running;
  const auto back = boost::context::detail::jump_fcontext(running->host, nullptr);
  running->host = back.fctx;
}
