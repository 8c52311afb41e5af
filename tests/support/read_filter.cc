// read_filter PID: which system calls a process is left with, one a line, as the kernel has it: its
// newest filter is read and run for every number. A call that is allowed with certain arguments
// only counts. Exits 77 where the kernel does not show filters, or not to this user.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <vector>

#include "host/process/system_calls.h"

namespace nur {
namespace {

using Program = std::vector<sock_filter>;
struct Call {
  std::uint32_t architecture;
  std::uint32_t number;
};

// Above all numbers that Linux has given out. Those of the x32 ABI have a bit more.
constexpr std::uint32_t kNumbers = 4096;
constexpr std::uint32_t kX32 = 0x40000000;

// Whether some arguments let `call` through from instruction `at` on, with `value` in the
// accumulator; nullopt when that depends on arguments.
bool may_pass(const Program& program, const Call& call, std::size_t at,
              std::optional<std::uint32_t> value) {
  while (true) {
    const sock_filter& instruction = program.at(at++);
    const std::uint32_t k = instruction.k;
    const auto jump = [&](bool taken) { return at + (taken ? instruction.jt : instruction.jf); };
    std::optional<bool> taken;
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        value.reset();
        if (k == offsetof(seccomp_data, nr)) value = call.number;
        if (k == offsetof(seccomp_data, arch)) value = call.architecture;
        continue;
      case BPF_ALU | BPF_AND | BPF_K:
        if (value) *value &= k;
        continue;
      case BPF_RET | BPF_K:
        return (k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
      case BPF_JMP | BPF_JA:
        at += k;
        continue;
      case BPF_JMP | BPF_JEQ | BPF_K:
        if (value) taken = *value == k;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        if (value) taken = *value > k;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        if (value) taken = *value >= k;
        break;
      default:
        throw std::runtime_error("an instruction that libseccomp does not make");
    }
    if (!taken) {
      return may_pass(program, call, jump(true), value) ||
             may_pass(program, call, jump(false), value);
    }
    at = jump(*taken);
  }
}

[[noreturn]] void give_up(const char* what) {
  const bool not_shown = errno == EACCES || errno == EPERM || errno == EINVAL || errno == EIO;
  std::fprintf(stderr, "read_filter: %s: %s\n", what, std::strerror(errno));
  std::exit(not_shown ? 77 : 1);
}

Program newest_filter_of(pid_t process) {
  if (::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) != 0) give_up("tracing");
  if (::ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr) != 0) give_up("stopping");
  if (::waitpid(process, nullptr, __WALL) != process) give_up("waiting");
  const long count = ::ptrace(PTRACE_SECCOMP_GET_FILTER, process, nullptr, nullptr);
  if (count < 0) give_up("reading the filter");
  Program program(static_cast<std::size_t>(count));
  if (::ptrace(PTRACE_SECCOMP_GET_FILTER, process, nullptr, program.data()) != count) {
    give_up("reading the filter");
  }
  // It goes on when this process ends.
  return program;
}

void print_calls_left(const Program& program) {
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    if (may_pass(program, {AUDIT_ARCH_X86_64, number}, 0, {})) {
      std::printf("%s\n", system_call_name(static_cast<int>(number)).c_str());
    }
    if (may_pass(program, {AUDIT_ARCH_X86_64, number | kX32}, 0, {})) {
      std::printf("x32 %u\n", number);
    }
    if (may_pass(program, {AUDIT_ARCH_I386, number}, 0, {})) std::printf("i386 %u\n", number);
  }
}

}  // namespace
}  // namespace nur

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: read_filter PID\n", stderr);
    return 2;
  }
  try {
    nur::print_calls_left(nur::newest_filter_of(std::atoi(argv[1])));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "read_filter: %s\n", error.what());
    return 1;
  }
}
