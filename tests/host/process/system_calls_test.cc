// A process under the filter can serve, and nothing else: each attack is made by a child that has
// closed the door behind itself.
#include "host/process/system_calls.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <set>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include "base/check.h"
#include "base/log.h"
#include "host/kv/kv_database.h"
#include "host/process/shared_state.h"
#include "host/upload/upload_folder.h"

namespace nur {
namespace {

class SystemCallsTest : public ::testing::Test {
 protected:
  // How a child ended that made `call` under the filter.
  int status_of(const std::function<void()>& call, FileAccess access = FileAccess::none,
                Connecting connecting = Connecting::refused) {
    record() = FaultRecord{};
    const pid_t child = ::fork();
    if (child == 0) {
      if (!allow_only_these_calls(record(), access, connecting)) ::_exit(77);
      call();
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  // Expects that `call` is refused, and that it is known which one it was.
  void expect_refused(std::string_view name, const std::function<void()>& call,
                      FileAccess access = FileAccess::none,
                      Connecting connecting = Connecting::refused) {
    const int status = status_of(call, access, connecting);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
    ASSERT_TRUE(WIFSIGNALED(status)) << name << ": exit code " << WEXITSTATUS(status);
    EXPECT_EQ(WTERMSIG(status), SIGSYS) << name;
    EXPECT_EQ(record().signal, SIGSYS) << name;
    EXPECT_EQ(system_call_name(record().system_call), name);
  }
  FaultRecord& record() { return state_.page(0).fault; }

  SharedState state_ = *SharedState::map(1);
};

TEST_F(SystemCallsTest, AreSixtyAtMostInAllEachOnceAndWithItsReason) {
  std::set<int> numbers;
  for (const std::span<const AllowedCall> calls :
       {serving_calls(), outbound_calls(Connecting::allowed), file_calls(FileAccess::writing)}) {
    for (const AllowedCall& call : calls) {
      EXPECT_TRUE(numbers.insert(call.number).second) << system_call_name(call.number);
      EXPECT_GT(std::strlen(call.why), 5U) << system_call_name(call.number);
    }
  }
  EXPECT_LE(numbers.size(), 60U);
}

TEST_F(SystemCallsTest, AreFewerWhereFunctionsMayDoLess) {
  EXPECT_TRUE(outbound_calls(Connecting::refused).empty());
  EXPECT_TRUE(file_calls(FileAccess::none).empty());
  EXPECT_LT(file_calls(FileAccess::reading).size(), file_calls(FileAccess::writing).size());
}

TEST_F(SystemCallsTest, RefuseToChangeFilesWhereDirectoriesAreToBeRead) {
  const auto expect = [&](std::string_view name, const std::function<void()>& call) {
    expect_refused(name, call, FileAccess::reading);
  };
  expect("mkdirat", [] { ::mkdirat(-1, "d", 0777); });
  expect("unlinkat", [] { ::unlinkat(-1, "d", 0); });
  expect("renameat2", [] { ::syscall(SYS_renameat2, -1, "a", -1, "b", 0); });
  expect("linkat", [] { (void)!::linkat(-1, "a", -1, "b", 0); });
  expect("symlinkat", [] { (void)!::symlinkat("a", -1, "b"); });
  expect("ftruncate", [] { (void)!::ftruncate(-1, 0); });
  expect("openat", [] { (void)!::open("/etc/passwd", O_RDONLY); });
}

TEST_F(SystemCallsTest, LetFilesBeChangedWhereDirectoriesAreWritable) {
  const int status = status_of(
      [] {
        ::mkdirat(-1, "d", 0777);
        ::unlinkat(-1, "d", 0);
        (void)!::ftruncate(-1, 0);
        ::syscall(SYS_openat2, -1, "", nullptr, 0);
      },
      FileAccess::writing);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  expect_refused(
      "execve", [] { ::execl("/bin/true", "true", nullptr); }, FileAccess::writing);
  expect_refused(
      "mknodat", [] { ::syscall(SYS_mknodat, -1, "p", 0, 0); }, FileAccess::writing);
  expect_refused(
      "fchmodat", [] { ::syscall(SYS_fchmodat, -1, "p", 0); }, FileAccess::writing);
  // By number as by path: how guests ask is fstat (status_of()).
  expect_refused(
      "newfstatat", [] { ::syscall(SYS_newfstatat, -1, "", nullptr, AT_EMPTY_PATH); },
      FileAccess::writing);
}

TEST_F(SystemCallsTest, RefuseToExecute) {
  expect_refused("execve", [] { ::execl("/bin/true", "true", nullptr); });
  expect_refused("execveat",
                 [] { ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); });
}

TEST_F(SystemCallsTest, RefuseToOpenByPath) {
  expect_refused("openat", [] { (void)!::open("/etc/passwd", O_RDONLY); });
  expect_refused("open", [] { ::syscall(SYS_open, "/etc/passwd", O_RDONLY); });
  expect_refused("openat2", [] { ::syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0); });
  expect_refused("memfd_create", [] { ::memfd_create("file", 0); });
  expect_refused("newfstatat", [] { ::syscall(SYS_newfstatat, AT_FDCWD, "/etc", nullptr, 0); });
  expect_refused("newfstatat",
                 [] { ::syscall(SYS_newfstatat, AT_FDCWD, "/etc", nullptr, AT_EMPTY_PATH); });
}

TEST_F(SystemCallsTest, RefuseSocketsAndWaysOut) {
  expect_refused("socket", [] { ::socket(AF_INET, SOCK_STREAM, 0); });
  expect_refused("socketpair", [] { ::syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr); });
  expect_refused("connect", [] { ::connect(0, nullptr, 0); });
  expect_refused("bind", [] { ::bind(0, nullptr, 0); });
}

// Of workers that may connect, too.
TEST_F(SystemCallsTest, RefuseSocketsThatAreNotOfIp) {
  const auto refused = [this](int family, int type) {
    expect_refused(
        "socket", [=] { ::socket(family, type, 0); }, FileAccess::none, Connecting::allowed);
  };
  refused(AF_UNIX, SOCK_STREAM);
  refused(AF_NETLINK, SOCK_DGRAM);
  refused(AF_PACKET, SOCK_RAW);
  refused(AF_INET, SOCK_RAW);
  refused(AF_INET6, SOCK_RAW | SOCK_CLOEXEC);
  refused(AF_VSOCK, SOCK_STREAM);
  const auto not_at_all = [this](std::string_view name, const std::function<void()>& call) {
    expect_refused(name, call, FileAccess::none, Connecting::allowed);
  };
  not_at_all("bind", [] { ::bind(0, nullptr, 0); });
  not_at_all("openat", [] { (void)!::open("/etc/resolv.conf", O_RDONLY); });
  not_at_all("execve", [] { ::execl("/bin/true", "true", nullptr); });
}

TEST_F(SystemCallsTest, AllowConnectionsOnlyWhereSomeFunctionMayConnect) {
  const auto connect_somewhere = [] {
    for (const int family : {AF_INET, AF_INET6}) {
      for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        const int socket = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (socket >= 0) ::connect(socket, nullptr, 0);
      }
    }
  };
  const int status = status_of(connect_somewhere, FileAccess::none, Connecting::allowed);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  expect_refused("socket", connect_somewhere);
}

TEST_F(SystemCallsTest, RefuseOtherProcesses) {
  expect_refused("ptrace", [] { ::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr); });
  expect_refused("kill", [] { ::kill(1, 0); });
  expect_refused("tgkill", [] { ::syscall(SYS_tgkill, 1, 1, 0); });
  // Not fork(2): newer C libraries block signals first, and then nobody is left to say which it
  // was.
  expect_refused("clone", [] { ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); });
  expect_refused("vfork", [] { ::syscall(SYS_vfork); });
  expect_refused("process_vm_readv",
                 [] { ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); });
}

TEST_F(SystemCallsTest, RefuseExecutableMemory) {
  expect_refused("mmap", [] {
    ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  });
  expect_refused("mprotect", [] {
    void* const page =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
  });
  expect_refused("pkey_mprotect", [] { ::syscall(SYS_pkey_mprotect, nullptr, 0, 0, 0); });
}

TEST_F(SystemCallsTest, RefuseToUndoTheFilter) {
  expect_refused("prctl", [] { ::syscall(SYS_prctl, 4, 1); });
  expect_refused("seccomp", [] { ::syscall(SYS_seccomp, 0, 0, nullptr); });
  expect_refused("rt_sigaction", [] { ::signal(SIGSYS, SIG_IGN); });
  expect_refused("ioctl", [] { ::syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"); });
}

TEST_F(SystemCallsTest, KillEvenWhoBlocksTheSignal) {
  const int status = status_of([] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    ::syscall(SYS_getppid);
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

TEST_F(SystemCallsTest, LeaveWhatServingNeeds) {
  const int status = status_of([] {
    std::string text(1 << 20, 'x');
    void* const page = ::mmap(nullptr, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::mprotect(page, 4096, PROT_READ | PROT_WRITE);
    ::munmap(page, 1 << 20);
    if (text.size() != 1 << 20) ::_exit(1);
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The master tells a broken promise from a refused call by the signal.
TEST_F(SystemCallsTest, LetAProcessAbort) {
  const std::pair<const char*, void (*)()> ways[] = {
      {"our own", [] { NUR_CHECK(false); }},
      {"the C library's",
       [] {
         alignas(16) char no_block[64] = {};
         char* volatile const pointer = no_block + 32;
         ::free(pointer);
       }},
      {"the C++ library's", [] { std::terminate(); }},
  };
  for (const auto& [whose, way] : ways) {
    const int status = status_of([call = way] { call(); });
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
    ASSERT_TRUE(WIFSIGNALED(status)) << whose;
    EXPECT_EQ(WTERMSIG(status), SIGABRT) << whose;
  }
}

// The key-value store, with its database open and in use.
class StoreCallsTest : public SystemCallsTest {
 protected:
  // How a child ended that made `call` under the store's filter.
  int status_of(const std::function<void(KvDatabase&)>& call) {
    record() = FaultRecord{};
    const pid_t child = ::fork();
    if (child == 0) {
      Result<std::unique_ptr<KvDatabase>> database =
          KvDatabase::open(folder_.path() / "kv.sqlite", {});
      if (!database) ::_exit(1);
      // As a store does before, and whoever logs without asks for terminals and time zones.
      start_logging(LogLevel::info);
      ::tzset();
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (!allow_only_calls_of_the_store(record())) ::_exit(77);
      call(**database);
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  void expect_refused(std::string_view name, const std::function<void()>& call) {
    const int status = status_of([&](KvDatabase&) { call(); });
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
    ASSERT_TRUE(WIFSIGNALED(status)) << name << ": exit code " << WEXITSTATUS(status);
    EXPECT_EQ(WTERMSIG(status), SIGSYS) << name;
    EXPECT_EQ(system_call_name(record().system_call), name);
  }

  ScratchDir folder_ = *ScratchDir::create("store-calls");
};

TEST_F(StoreCallsTest, AreFewEachOnceAndWithItsReason) {
  EXPECT_LE(store_calls().size(), 45U);
  std::set<int> numbers;
  for (const AllowedCall& call : store_calls()) {
    EXPECT_TRUE(numbers.insert(call.number).second) << system_call_name(call.number);
    EXPECT_GT(std::strlen(call.why), 5U) << system_call_name(call.number);
  }
}

TEST_F(StoreCallsTest, RefuseFilesByPath) {
  expect_refused("openat", [] { (void)!::open("kv.sqlite", O_RDONLY); });
  expect_refused("open", [] { ::syscall(SYS_open, "/etc/passwd", O_RDONLY); });
  expect_refused("openat2", [] { ::syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0); });
  expect_refused("unlink", [] { ::unlink("kv.sqlite"); });
  expect_refused("rename", [] { ::rename("kv.sqlite", "gone"); });
  expect_refused("newfstatat",
                 [] { ::syscall(SYS_newfstatat, AT_FDCWD, "/etc", nullptr, AT_EMPTY_PATH); });
  expect_refused("memfd_create", [] { ::memfd_create("file", 0); });
  expect_refused("chmod", [] { ::syscall(SYS_chmod, "kv.sqlite", 0777); });
  expect_refused("chdir", [] { (void)!::chdir("/"); });
}

TEST_F(StoreCallsTest, RefuseToExecuteAndOtherProcesses) {
  expect_refused("execve", [] { ::execl("/bin/true", "true", nullptr); });
  expect_refused("execveat",
                 [] { ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); });
  expect_refused("clone", [] { ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); });
  expect_refused("vfork", [] { ::syscall(SYS_vfork); });
  expect_refused("kill", [] { ::kill(1, 0); });
  expect_refused("tgkill", [] { ::syscall(SYS_tgkill, 1, 1, 0); });
  expect_refused("ptrace", [] { ::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr); });
  expect_refused("process_vm_readv",
                 [] { ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); });
}

TEST_F(StoreCallsTest, RefuseSocketsAndWaysOut) {
  expect_refused("socket", [] { ::socket(AF_INET, SOCK_STREAM, 0); });
  expect_refused("socket", [] { ::socket(AF_UNIX, SOCK_STREAM, 0); });
  expect_refused("socketpair", [] { ::syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr); });
  expect_refused("connect", [] { ::connect(0, nullptr, 0); });
  expect_refused("bind", [] { ::bind(0, nullptr, 0); });
  expect_refused("accept4", [] { ::accept4(0, nullptr, nullptr, 0); });
  expect_refused("ioctl", [] { ::syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"); });
}

TEST_F(StoreCallsTest, RefuseExecutableMemoryAndToUndoTheFilter) {
  expect_refused("mmap", [] {
    ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  });
  expect_refused("mprotect", [] {
    void* const page =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
  });
  expect_refused("prctl", [] { ::syscall(SYS_prctl, 4, 1); });
  expect_refused("seccomp", [] { ::syscall(SYS_seccomp, 0, 0, nullptr); });
  expect_refused("rt_sigaction", [] { ::signal(SIGSYS, SIG_IGN); });
}

// Everything that a database does: a log that grows beyond its limit and is written back, values of
// all sizes, what is refused, what expires.
TEST_F(StoreCallsTest, LeaveWhatTheDatabaseNeeds) {
  const int status = status_of([](KvDatabase& database) {
    using Kind = KvRequest::Kind;
    std::int64_t now = 1000;
    for (int round = 0; round < 12; ++round) {
      std::vector<KvRequest> requests;
      for (int i = 0; i < 400; ++i) {
        const std::string key = fmt::format("{:06}", (round * 7919 + i * 31) % 3000);
        const std::string value(static_cast<std::size_t>(i % 40) * 1000, 'v');
        requests.push_back({.kind = Kind::set,
                            .lifetime_ms = i % 3 == 0 ? 1 + i : 0,
                            .space = fmt::format("f{}", i % 5),
                            .key = key,
                            .value = value});
        requests.push_back({.kind = Kind::get, .space = "f1", .key = key});
        requests.push_back({.kind = Kind::increment, .number = 1, .space = "n", .key = key});
        requests.push_back({.kind = Kind::remove, .space = "f2", .key = key});
      }
      requests.push_back({.kind = Kind::list, .number = 4096, .space = "f1"});
      for (const KvReply& reply : database.execute(requests, now)) {
        if (reply.code == -1 && reply.bytes.size() > 0) ::_exit(2);
      }
      now += 500;
      database.purge(now, 500);
    }
    database.checkpoint();
    spdlog::info("a line of the log");
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
  ASSERT_TRUE(WIFEXITED(status)) << system_call_name(record().system_call);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The process of uploads, with its folder open.
class UploadCallsTest : public SystemCallsTest {
 protected:
  int status_of(const std::function<void(const UploadFolder&)>& call) {
    record() = FaultRecord{};
    const pid_t child = ::fork();
    if (child == 0) {
      const Result<UploadFolder> folder = UploadFolder::open(folder_.path());
      if (!folder) ::_exit(1);
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (!allow_only_calls_of_uploads(record())) ::_exit(77);
      call(*folder);
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  void expect_refused(std::string_view name, const std::function<void()>& call) {
    const int status = status_of([&](const UploadFolder&) { call(); });
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
    ASSERT_TRUE(WIFSIGNALED(status)) << name << ": exit code " << WEXITSTATUS(status);
    EXPECT_EQ(WTERMSIG(status), SIGSYS) << name;
    EXPECT_EQ(system_call_name(record().system_call), name);
  }

  ScratchDir folder_ = *ScratchDir::create("upload-calls");
};

TEST_F(UploadCallsTest, AreFewEachOnceAndWithItsReason) {
  EXPECT_LE(upload_calls().size(), 50U);
  std::set<int> numbers;
  for (const AllowedCall& call : upload_calls()) {
    EXPECT_TRUE(numbers.insert(call.number).second) << system_call_name(call.number);
    EXPECT_GT(std::strlen(call.why), 5U) << system_call_name(call.number);
  }
}

TEST_F(UploadCallsTest, RefuseToExecuteAndOtherProcesses) {
  expect_refused("execve", [] { ::execl("/bin/true", "true", nullptr); });
  expect_refused("execveat",
                 [] { ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); });
  expect_refused("clone", [] { ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); });
  expect_refused("vfork", [] { ::syscall(SYS_vfork); });
  expect_refused("kill", [] { ::kill(1, 0); });
  expect_refused("tgkill", [] { ::syscall(SYS_tgkill, 1, 1, 0); });
  expect_refused("ptrace", [] { ::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr); });
  expect_refused("process_vm_readv",
                 [] { ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); });
}

TEST_F(UploadCallsTest, RefuseSocketsLinksAndRights) {
  expect_refused("socket", [] { ::socket(AF_INET, SOCK_STREAM, 0); });
  expect_refused("connect", [] { ::connect(0, nullptr, 0); });
  expect_refused("bind", [] { ::bind(0, nullptr, 0); });
  expect_refused("ioctl", [] { ::syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"); });
  expect_refused("symlinkat", [] { (void)!::symlinkat("/etc/passwd", 3, "a.so"); });
  expect_refused("linkat", [] { (void)!::linkat(3, "a.so", 3, "b.so", 0); });
  expect_refused("mkdirat", [] { ::mkdirat(3, "d", 0777); });
  expect_refused("fchmodat", [] { (void)!::fchmodat(3, "a.so", 0777, 0); });
  expect_refused("chdir", [] { (void)!::chdir("/"); });
  expect_refused("mount", [] { ::syscall(SYS_mount, nullptr, "/", nullptr, 0, nullptr); });
}

TEST_F(UploadCallsTest, RefuseExecutableMemoryAndToUndoTheFilter) {
  expect_refused("mmap", [] {
    ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  });
  expect_refused("mprotect", [] {
    void* const page =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
  });
  expect_refused("prctl", [] { ::syscall(SYS_prctl, 4, 1); });
  expect_refused("seccomp", [] { ::syscall(SYS_seccomp, 0, 0, nullptr); });
  expect_refused("rt_sigaction", [] { ::signal(SIGSYS, SIG_IGN); });
}

TEST_F(UploadCallsTest, LeaveWhatTheFolderNeeds) {
  const int status = status_of([](const UploadFolder& folder) {
    folder.remove_leftovers();
    const std::string large(std::size_t{20} << 20, 'x');
    const auto succeeds = [](bool well) {
      if (!well) ::_exit(2);
    };
    succeeds(folder.put("a.so", "one").has_value());
    succeeds(folder.put("a.so", large).has_value());
    succeeds(folder.list()->size() == 1);
    succeeds(folder.has("a.so") && !folder.has("b.so"));
    succeeds(folder.remove("a.so").has_value() && !folder.remove("a.so"));
    succeeds(folder.list()->empty());
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters here";
  ASSERT_TRUE(WIFEXITED(status)) << system_call_name(record().system_call);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace nur
