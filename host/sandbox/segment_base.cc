#include "host/sandbox/segment_base.h"

#include <cstdint>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asm/hwcap2.h>
#include <asm/prctl.h>

#include "base/check.h"

namespace nur {
namespace {

std::uintptr_t read_base() {
  std::uintptr_t base = 0;
  asm volatile("rdgsbase %0" : "=r"(base));
  return base;
}

void write_base(std::uintptr_t base) { asm volatile("wrgsbase %0" : : "r"(base)); }

}  // namespace

void point_gs_at(const void* base) {
  static const bool has_instructions = (::getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
  const auto wanted = reinterpret_cast<std::uintptr_t>(base);
  if (has_instructions) {
    if (read_base() != wanted) write_base(wanted);
  } else {
    NUR_CHECK(::syscall(SYS_arch_prctl, ARCH_SET_GS, wanted) == 0);
  }
}

}  // namespace nur
