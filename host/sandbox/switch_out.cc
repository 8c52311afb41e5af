#include "host/sandbox/switch_out.h"

#include <cpuid.h>
#include <cstdint>
#include <cstring>

#include "base/check.h"

// rdi: room for the vector registers, rsi: GuestRegisters, ecx: VectorSave, edx:eax: components.
// On the stack above the room. Registers are numbered as in DWARF.
asm(R"(
  .text
  .p2align 4
  .type nur_switch_out, @function
nur_switch_out:
  cld
  movq  %rdi, %rbx
  movq  %rsi, %r12
  movl  %ecx, %r13d
  movl  %eax, %r14d
  movl  %edx, %r15d
  cmpl  $1, %ecx
  ja    2f
  je    1f
  xsavec64 (%rbx)
  jmp   3f
1:
  xsave64 (%rbx)
  jmp   3f
2:
  fxsave64 (%rbx)
3:
  call  nur_leave_switched_out

  movl  %r14d, %eax
  movl  %r15d, %edx
  cmpl  $1, %r13d
  ja    4f
  xrstor64 (%rbx)
  jmp   5f
4:
  fxrstor64 (%rbx)
5:
  movl  %ss, %eax
  pushq %rax
  pushq 56(%r12)
  pushq 136(%r12)
  movl  %cs, %eax
  pushq %rax
  pushq 128(%r12)
  movq  0(%r12), %rax
  movq  8(%r12), %rdx
  movq  16(%r12), %rcx
  movq  24(%r12), %rbx
  movq  32(%r12), %rsi
  movq  40(%r12), %rdi
  movq  48(%r12), %rbp
  movq  64(%r12), %r8
  movq  72(%r12), %r9
  movq  80(%r12), %r10
  movq  88(%r12), %r11
  movq  104(%r12), %r13
  movq  112(%r12), %r14
  movq  120(%r12), %r15
  movq  96(%r12), %r12
  iretq
  .size nur_switch_out, .-nur_switch_out
)");

extern "C" void nur_switch_out();

namespace nur {
namespace {

static_assert(offsetof(GuestRegisters, general) == 0);
static_assert(offsetof(GuestRegisters, program_counter) == 128);
static_assert(offsetof(GuestRegisters, flags) == 136);
static_assert(kDwarfRsp == 7);

constexpr std::size_t kVectorBytes = 2816;
constexpr std::size_t kHeaderOffset = 512;  // of the XSAVE header, behind the legacy region
constexpr std::size_t kHeaderBytes = 64;

// x87, SSE, AVX, AVX-512 (3), APX's general registers.
constexpr std::uint64_t kComponents = 0xe7 | (std::uint64_t{1} << 19);

struct Processor {
  bool has_xsave = false;
  bool has_xsavec = false;
  std::uint64_t components = 0;
};

std::uint64_t enabled_components() {
  std::uint32_t low;
  std::uint32_t high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

Processor examine() {
  Processor found;
  unsigned a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return found;
  found.has_xsave = true;
  found.components = enabled_components() & kComponents;
  if (__get_cpuid_count(0xd, 1, &a, &b, &c, &d) != 0) found.has_xsavec = (a & bit_XSAVEC) != 0;
  // Where each component lies in the standard format; the compacted one is never larger.
  for (unsigned i = 2; i < 64; ++i) {
    if ((found.components >> i & 1) == 0) continue;
    NUR_CHECK(__get_cpuid_count(0xd, i, &a, &b, &c, &d) != 0 && b + a <= kVectorBytes);
  }
  return found;
}

const Processor& processor() {
  static const Processor only = examine();
  return only;
}

}  // namespace

bool has_vector_save(VectorSave save) {
  switch (save) {
    case VectorSave::xsavec:
      return processor().has_xsavec;
    case VectorSave::xsave:
      return processor().has_xsave;
    case VectorSave::fxsave:
      return true;
  }
  return false;
}

VectorSave best_vector_save() {
  if (has_vector_save(VectorSave::xsavec)) return VectorSave::xsavec;
  return has_vector_save(VectorSave::xsave) ? VectorSave::xsave : VectorSave::fxsave;
}

void switch_out(ucontext_t& context, GuestRegisters& registers, void* room, VectorSave save) {
  // xrstor wants what xsave leaves alone there to be zero.
  std::memset(static_cast<std::byte*>(room) + kHeaderOffset, 0, kHeaderBytes);
  const std::uint64_t components = processor().components;
  auto& machine = context.uc_mcontext.gregs;
  machine[REG_RDI] = reinterpret_cast<greg_t>(room);
  machine[REG_RSI] = reinterpret_cast<greg_t>(&registers);
  machine[REG_RCX] = static_cast<greg_t>(save);
  machine[REG_RAX] = static_cast<greg_t>(components & 0xffffffff);
  machine[REG_RDX] = static_cast<greg_t>(components >> 32);
  machine[REG_RIP] = reinterpret_cast<greg_t>(&nur_switch_out);
  machine[REG_RSP] = reinterpret_cast<greg_t>(static_cast<std::byte*>(room) + kSwitchOutBytes);
}

}  // namespace nur
