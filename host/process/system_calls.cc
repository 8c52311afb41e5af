#include "host/process/system_calls.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <memory>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include <asm/prctl.h>

namespace nur {
namespace {

// One a line, with its reason. Some are allowed with certain arguments only: see add_rules.
//
// Where the kernel has several calls for one thing our own code makes one of them, and by number
// where C libraries differ in which one their function makes (fstat: file_status.h).
constexpr AllowedCall kServingCalls[] = {
    // Connections.
    {SCMP_SYS(accept4), "new connections, the only new descriptors from outside"},
    {SCMP_SYS(recvfrom), "requests"},
    {SCMP_SYS(recvmsg), "messages of the master"},
    {SCMP_SYS(sendto), "answers"},
    {SCMP_SYS(sendmsg), "answers of several pieces; messages to the master"},
    {SCMP_SYS(shutdown), "the end of an answer; of listening, when the master is gone"},
    {SCMP_SYS(getsockname), "the address that a client reached, for CGI"},
    {SCMP_SYS(getsockopt), "how much of an answer is on its way"},
    {SCMP_SYS(setsockopt), "options of accepted connections"},
    {SCMP_SYS(ioctl), "written pages (PAGEMAP_SCAN); how much is unsent (SIOCOUTQ)"},
    // The event loop.
    {SCMP_SYS(epoll_pwait), "waiting"},
    {SCMP_SYS(epoll_ctl), "what is waited for"},
    {SCMP_SYS(close), "connections that are done"},
    {SCMP_SYS(fcntl), "the descriptor in reserve"},
    // The log, and files that are open from the start or beneath a function's directories.
    {SCMP_SYS(write), "the log"},
    {SCMP_SYS(writev), "last words of the C library; c-ares asking by TCP"},
    {SCMP_SYS(preadv2), "Nebula's history; files of guests"},
    {SCMP_SYS(pwritev2), "profiles and Nebula's history; files of guests"},
    // Memory; never executable.
    {SCMP_SYS(mmap), "instances, their images, the heap"},
    {SCMP_SYS(munmap), "the same, given back"},
    {SCMP_SYS(mprotect), "growing and protecting an instance's memory"},
    {SCMP_SYS(mremap), "the heap's large blocks"},
    {SCMP_SYS(madvise), "giving pages back"},
    {SCMP_SYS(brk), "the heap"},
    // Signals and alarms, which stop guests. The timer and its stack are there from the start.
    {SCMP_SYS(rt_sigaction), "the default action for faults of ours; not for SIGSYS"},
    {SCMP_SYS(rt_sigprocmask), "the C library's abort"},
    {SCMP_SYS(rt_sigreturn), "the way back from every handler"},
    {SCMP_SYS(timer_settime), "deadlines and slices of time"},
    {SCMP_SYS(tgkill), "abort; to this process only"},
    {SCMP_SYS(getpid), "abort, and lines of the log; OpenSSL, lest it is another process"},
    {SCMP_SYS(gettid), "abort, and lines of the log"},
    // Time and chance.
    {SCMP_SYS(clock_gettime), "time, where it needs a call at all; processor time of guests"},
    {SCMP_SYS(time), "the Date of answers, which is quicker so; where it needs a call at all"},
    {SCMP_SYS(getrandom), "a guest's random numbers"},
    // What the C library and the processor need.
    {SCMP_SYS(arch_prctl), "the segment of linear memory, on processors without an instruction"},
    {SCMP_SYS(futex), "locks of the C library"},
    {SCMP_SYS(exit_group), "the end"},
};

// Where a function may connect to somewhere; without the first two it cannot.
constexpr AllowedCall kOutboundCalls[] = {
    {SCMP_SYS(socket), "connections of guests, and questions to DNS; IP only, and no raw ones"},
    {SCMP_SYS(connect), "the same"},
    {SCMP_SYS(getpeername), "where a connection of libcurl's has gone"},
    {SCMP_SYS(poll), "libcurl's look at a connection that it may use again"},
    {SCMP_SYS(restart_syscall), "the kernel's own: poll, behind a stop of the process"},
    {SCMP_SYS(gettimeofday), "OpenSSL's time, where it needs a call at all"},
};

// For functions with directories, the first ones for those that can only read.
constexpr AllowedCall kFileCalls[] = {
    {SCMP_SYS(openat2), "files of guests, beneath their directories (host/abi/wasi/paths.cc)"},
    {SCMP_SYS(getdents64), "what is in a directory"},
    {SCMP_SYS(readlinkat), "what a link says"},
    {SCMP_SYS(fstat), "what and how large a file is"},
    {SCMP_SYS(lseek), "places in files and directories"},
    {SCMP_SYS(ftruncate), "how long files are"},
    {SCMP_SYS(fallocate), "room for them"},
    {SCMP_SYS(fsync), "that they last"},
    {SCMP_SYS(fdatasync), "that their contents last, which is quicker"},
    {SCMP_SYS(utimensat), "when they were changed"},
    {SCMP_SYS(mkdirat), "new directories"},
    {SCMP_SYS(unlinkat), "entries that go"},
    {SCMP_SYS(renameat2), "entries that move"},
    {SCMP_SYS(linkat), "second names"},
    {SCMP_SYS(symlinkat), "new links"},
};
constexpr std::size_t kReadingCalls = 5;

static_assert(std::size(kServingCalls) + std::size(kOutboundCalls) + std::size(kFileCalls) <=
              kAllowedCallsMax);

// Of the key-value store, once its database is open. Nothing that opens or removes a file: SQLite
// has its two open until the end.
constexpr AllowedCall kStoreCalls[] = {
    // Connections of workers, and the event loop.
    {SCMP_SYS(recvfrom), "requests"},
    {SCMP_SYS(recvmsg), "connections that the master hands over, the only new descriptors"},
    {SCMP_SYS(sendto), "replies"},
    {SCMP_SYS(sendmsg), "replies of several pieces; that it is ready"},
    {SCMP_SYS(epoll_wait), "waiting"},
    {SCMP_SYS(epoll_pwait), "waiting, as newer C libraries do it"},
    {SCMP_SYS(epoll_ctl), "what is waited for"},
    {SCMP_SYS(close), "connections that are done"},
    // SQLite, in the database and its log.
    {SCMP_SYS(pread64), "pages of it"},
    {SCMP_SYS(pwrite64), "pages of it"},
    {SCMP_SYS(read), "pages, as some builds of SQLite do it"},
    {SCMP_SYS(lseek), "the same"},
    {SCMP_SYS(fstat), "how long a file is"},
    {SCMP_SYS(ftruncate), "a log that has become long"},
    {SCMP_SYS(fdatasync), "that pages last"},
    {SCMP_SYS(fsync), "the same"},
    {SCMP_SYS(fcntl), "the lock of the file"},
    // The log, memory that is never executable, and signals.
    {SCMP_SYS(write), "the log"},
    {SCMP_SYS(writev), "the same"},
    {SCMP_SYS(mmap), "the heap"},
    {SCMP_SYS(munmap), "the same, given back"},
    {SCMP_SYS(mprotect), "the heap, as it grows"},
    {SCMP_SYS(mremap), "the heap's large blocks"},
    {SCMP_SYS(madvise), "giving pages back"},
    {SCMP_SYS(brk), "the heap"},
    {SCMP_SYS(rt_sigaction), "the C library's abort; not for SIGSYS"},
    {SCMP_SYS(rt_sigprocmask), "the same"},
    {SCMP_SYS(rt_sigreturn), "the way back from every handler"},
    {SCMP_SYS(tgkill), "abort; to this process only"},
    {SCMP_SYS(getpid), "abort, and lines of the log"},
    {SCMP_SYS(gettid), "the same"},
    // Time, and what the C library needs.
    {SCMP_SYS(clock_gettime), "time, where it needs a call at all"},
    {SCMP_SYS(gettimeofday), "the same"},
    {SCMP_SYS(time), "the same"},
    {SCMP_SYS(futex), "locks of the C library"},
    {SCMP_SYS(restart_syscall), "the kernel's own, behind a stop"},
    {SCMP_SYS(exit), "the end"},
    {SCMP_SYS(exit_group), "the end"},
};
static_assert(std::size(kStoreCalls) <= kAllowedCallsMax);

// Of the process of uploads, once its folder is open. What is opened and changed is beneath it:
// Landlock's to say.
constexpr AllowedCall kUploadCalls[] = {
    // Connections, and the event loop.
    {SCMP_SYS(accept4), "new connections"},
    {SCMP_SYS(recvfrom), "uploads"},
    {SCMP_SYS(recvmsg), "messages of the master"},
    {SCMP_SYS(sendto), "answers"},
    {SCMP_SYS(sendmsg), "answers of several pieces; that it is ready"},
    {SCMP_SYS(shutdown), "the end of an answer"},
    {SCMP_SYS(getsockname), "the address that a client reached"},
    {SCMP_SYS(getsockopt), "how much of an answer is on its way"},
    {SCMP_SYS(setsockopt), "options of accepted connections"},
    {SCMP_SYS(ioctl), "how much is unsent (SIOCOUTQ)"},
    {SCMP_SYS(epoll_wait), "waiting"},
    {SCMP_SYS(epoll_pwait), "waiting, as newer C libraries do it"},
    {SCMP_SYS(epoll_ctl), "what is waited for"},
    {SCMP_SYS(close), "connections and files that are done"},
    {SCMP_SYS(fcntl), "the descriptor in reserve; how a folder was opened"},
    // The folder.
    {SCMP_SYS(openat), "files that are written, and the folder's entries"},
    {SCMP_SYS(getdents64), "the folder's entries"},
    {SCMP_SYS(newfstatat), "what is there and how large it is"},
    {SCMP_SYS(fstat), "the same"},
    {SCMP_SYS(lseek), "the C library's place in a folder"},
    {SCMP_SYS(flock), "whose a file is that is being written"},
    {SCMP_SYS(fsync), "that files last"},
    {SCMP_SYS(renameat), "a file takes its name"},
    {SCMP_SYS(renameat2), "the same, as newer C libraries do it"},
    {SCMP_SYS(unlinkat), "functions that are deleted"},
    // The log, memory that is never executable, and signals.
    {SCMP_SYS(write), "files, and the log"},
    {SCMP_SYS(writev), "last words of the C library"},
    {SCMP_SYS(mmap), "the heap"},
    {SCMP_SYS(munmap), "the same, given back"},
    {SCMP_SYS(mprotect), "the heap, as it grows"},
    {SCMP_SYS(mremap), "the heap's large blocks"},
    {SCMP_SYS(madvise), "giving pages back"},
    {SCMP_SYS(brk), "the heap"},
    {SCMP_SYS(rt_sigaction), "the C library's abort; not for SIGSYS"},
    {SCMP_SYS(rt_sigprocmask), "the same"},
    {SCMP_SYS(rt_sigreturn), "the way back from every handler"},
    {SCMP_SYS(tgkill), "abort; to this process only"},
    {SCMP_SYS(getpid), "abort, and lines of the log"},
    {SCMP_SYS(gettid), "the same"},
    // Time and chance, and what the C library needs.
    {SCMP_SYS(clock_gettime), "time, where it needs a call at all"},
    {SCMP_SYS(gettimeofday), "the same"},
    {SCMP_SYS(time), "the Date of answers, where it needs a call at all"},
    {SCMP_SYS(getrandom), "temporary names"},
    {SCMP_SYS(futex), "locks of the C library"},
    {SCMP_SYS(restart_syscall), "the kernel's own, behind a stop"},
    {SCMP_SYS(exit_group), "the end"},
};
static_assert(std::size(kUploadCalls) <= kAllowedCallsMax);

// include/uapi/linux/fs.h of Linux 6.7: _IOWR('f', 16, struct pm_scan_arg), of 96 bytes.
constexpr unsigned kPagemapScan = 0xc0606610;
constexpr unsigned kSocketUnsent = 0x5411;  // SIOCOUTQ

// Adds what `number` is allowed with. Returns 0 or a negative errno.
int add_rules(scmp_filter_ctx filter, int number) {
  const auto only_if = [&](const scmp_arg_cmp& condition) {
    return ::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &condition);
  };
  const auto first_of = [](int a, int b) { return a != 0 ? a : b; };
  switch (number) {
    case SCMP_SYS(mmap):
    case SCMP_SYS(mprotect):
      return only_if(SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case SCMP_SYS(ioctl):
      return first_of(only_if(SCMP_A1(SCMP_CMP_EQ, kPagemapScan)),
                      only_if(SCMP_A1(SCMP_CMP_EQ, kSocketUnsent)));
    case SCMP_SYS(rt_sigaction):
      return only_if(SCMP_A0(SCMP_CMP_NE, SIGSYS));
    case SCMP_SYS(socket):
      for (const scmp_datum_t family : {AF_INET, AF_INET6}) {
        for (const scmp_datum_t type : {SOCK_STREAM, SOCK_DGRAM}) {
          constexpr scmp_datum_t kTypes = 0xf;  // the rest are flags
          const scmp_arg_cmp conditions[] = {SCMP_A0(SCMP_CMP_EQ, family),
                                             SCMP_A1(SCMP_CMP_MASKED_EQ, kTypes, type)};
          const int error = ::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 2, conditions);
          if (error != 0) return error;
        }
      }
      return 0;
    case SCMP_SYS(tgkill):
      return only_if(SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));
    case SCMP_SYS(arch_prctl):
      return only_if(SCMP_A0(SCMP_CMP_EQ, ARCH_SET_GS));
    default:
      return ::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 0, nullptr);
  }
}

FaultRecord* refused_call = nullptr;

// The call was not made. Its number is kept; then this process ends. SIGSYS cannot be given another
// action (add_rules), and one that comes while it is blocked, as here, kills at once.
void on_refused_call(int signal, siginfo_t* info, void* opaque) {
  const auto& context = *static_cast<const ucontext_t*>(opaque);
  refused_call->signal = signal;
  refused_call->system_call = info->si_syscall;
  refused_call->program_counter = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
  ::signal(SIGSYS, SIG_DFL);
  std::abort();
}

Result<void> unavailable(int error) {
  return fail(ErrorKind::not_found, "{}", std::strerror(error));
}

Result<void> allow_only(FaultRecord& record,
                        std::initializer_list<std::span<const AllowedCall>> lists) {
#if defined(__SANITIZE_ADDRESS__)
  (void)record;
  (void)lists;
  return fail(ErrorKind::not_found, "AddressSanitizer needs more calls");
#else
  refused_call = &record;
  struct sigaction action {};
  action.sa_sigaction = on_refused_call;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return unavailable(errno);

  // Trapped rather than killed, so that the handler can say which call it was.
  const std::unique_ptr<void, decltype(&::seccomp_release)> filter(::seccomp_init(SCMP_ACT_TRAP),
                                                                   ::seccomp_release);
  if (filter == nullptr) return unavailable(ENOMEM);
  // As fast as it gets: a tree instead of a list; no slower speculation than without a filter.
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_SSB, 1);
  for (const std::span<const AllowedCall> calls : lists) {
    for (const AllowedCall& call : calls) {
      if (const int error = add_rules(filter.get(), call.number); error != 0) {
        return unavailable(-error);
      }
    }
  }
  if (const int error = ::seccomp_load(filter.get()); error != 0) return unavailable(-error);
  return {};
#endif
}

}  // namespace

std::span<const AllowedCall> serving_calls() { return kServingCalls; }

std::span<const AllowedCall> outbound_calls(Connecting connecting) {
  if (connecting == Connecting::refused) return {};
  return kOutboundCalls;
}

std::span<const AllowedCall> file_calls(FileAccess access) {
  const std::span<const AllowedCall> all = kFileCalls;
  switch (access) {
    case FileAccess::none:
      break;
    case FileAccess::reading:
      return all.first(kReadingCalls);
    case FileAccess::writing:
      return all;
  }
  return {};
}

std::span<const AllowedCall> store_calls() { return kStoreCalls; }

std::span<const AllowedCall> upload_calls() { return kUploadCalls; }

Result<void> allow_only_these_calls(FaultRecord& record, FileAccess access, Connecting connecting) {
  return allow_only(record, {serving_calls(), outbound_calls(connecting), file_calls(access)});
}

Result<void> allow_only_calls_of_the_store(FaultRecord& record) {
  return allow_only(record, {store_calls()});
}

Result<void> allow_only_calls_of_uploads(FaultRecord& record) {
  return allow_only(record, {upload_calls()});
}

std::string system_call_name(int number) {
  const std::unique_ptr<char, decltype(&::free)> name(
      ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), ::free);
  return name ? std::string(name.get()) : std::to_string(number);
}

}  // namespace nur
