// nurhost with one more module to import from: "test", whose functions do what no host function
// shall ever do. Shows what becomes of a worker with a flaw.
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "host/nurhost.h"

namespace nur {
namespace {

HostReply null_write(void*, const GuestMemory&, nur_value*) {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
  return HostReply::resume();
}

HostReply wild_write(void*, const GuestMemory& memory, nur_value*) {
  // Just outside of what the guest may touch: its own access there would be a trap.
  volatile auto* const beyond = reinterpret_cast<volatile char*>(
      const_cast<std::byte*>(memory.range(0, 0)->data()) + memory.size() + (std::size_t{1} << 30));
  *beyond = 1;
  return HostReply::resume();
}

HostReply abort_here(void*, const GuestMemory&, nur_value*) { std::abort(); }

HostReply exit_now(void*, const GuestMemory&, nur_value*) { ::_exit(3); }

HostReply execute(void*, const GuestMemory&, nur_value* values) {
  char program[] = "/bin/true";
  char* const arguments[] = {program, nullptr};
  char* const environment[] = {nullptr};
  values[0].i32 = static_cast<std::uint32_t>(::execve(program, arguments, environment));
  return HostReply::resume();
}

HostReply open_file(void*, const GuestMemory&, nur_value* values) {
  values[0].i32 = static_cast<std::uint32_t>(::open("/etc/hostname", O_RDONLY));
  return HostReply::resume();
}

HostReply make_socket(void*, const GuestMemory&, nur_value* values) {
  values[0].i32 = static_cast<std::uint32_t>(::socket(AF_INET, SOCK_STREAM, 0));
  return HostReply::resume();
}

HostReply fork_here(void*, const GuestMemory&, nur_value* values) {
  // Not fork(2): newer C libraries block signals first, and then nobody is left to say which it
  // was.
  const long child = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0);
  if (child == 0) ::_exit(0);
  values[0].i32 = static_cast<std::uint32_t>(child);
  return HostReply::resume();
}

HostReply trace_master(void*, const GuestMemory&, nur_value* values) {
  values[0].i32 = static_cast<std::uint32_t>(::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr));
  return HostReply::resume();
}

HostReply map_code(void*, const GuestMemory&, nur_value* values) {
  void* const page =
      ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  values[0].i32 = page == MAP_FAILED ? 1 : 0;
  return HostReply::resume();
}

HostReply loop_in_host(void*, const GuestMemory&, nur_value*) {
  for (volatile bool always = true; always;) {
  }
  return HostReply::resume();
}

HostFunction find_test_function(std::string_view name) {
  constexpr std::pair<std::string_view, HostFunction> kFunctions[] = {
      {"null_write", null_write}, {"wild_write", wild_write},    {"abort", abort_here},
      {"exit_now", exit_now},     {"execve", execute},           {"openat", open_file},
      {"socket", make_socket},    {"clone", fork_here},          {"ptrace", trace_master},
      {"mmap", map_code},         {"loop_in_host", loop_in_host}};
  for (const auto& [known, function] : kFunctions) {
    if (known == name) return function;
  }
  return nullptr;
}

}  // namespace
}  // namespace nur

int main(int argc, char** argv) {
  std::vector<nur::HostModule> offered(nur::standard_host_modules().begin(),
                                       nur::standard_host_modules().end());
  offered.push_back({"test", nur::find_test_function});
  return nur::nurhost(argc, argv, offered);
}
