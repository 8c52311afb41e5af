// Switching a guest out at whatever instruction a signal found it, so that it can go on there.
//
// No frame of the kernel stays behind: the handler keeps the general registers, and makes the
// interrupted context continue in the room above the guest's frames, where a few instructions keep
// the vector registers and leave the stack as for a host call. So nothing is asked of the guest's
// own stack, which may be full, and the red zone below its rsp stays as it is. To go on, the same
// instructions put everything back, flags, stack and program counter in one (iretq).
#pragma once

#include <cstddef>
#include <ucontext.h>

#include "host/sandbox/backtrace.h"

namespace nur {

// Room that switching out needs, aligned to 64: the vector registers, then a little stack.
inline constexpr std::size_t kSwitchOutBytes = 4096;

// What keeps vector registers. All of AVX-512's fit (2,688 bytes); AMX's tiles, which wasm has no
// use for and a process must ask the kernel for, are left alone.
enum class VectorSave {
  xsavec = 0,  // writes only what is in use
  xsave = 1,
  fxsave = 2,  // SSE only: where the system offers no more, there is no more to keep
};
// The first of them that this machine has.
VectorSave best_vector_save();
bool has_vector_save(VectorSave save);

// In a signal handler: has `context`, whose registers are in `registers` already, continue behind
// leaving the guest. `room` is kSwitchOutBytes that belong to the guest's stack slot and are
// unused. What is called to leave is nur_leave_switched_out(); when that returns the guest goes on.
void switch_out(ucontext_t& context, GuestRegisters& registers, void* room, VectorSave save);

}  // namespace nur

extern "C" void nur_leave_switched_out();
