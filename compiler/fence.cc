#include "compiler/fence.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace nur {
namespace {

constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr int kEveryNamespace = kNamespaces | CLONE_NEWUSER | CLONE_NEWCGROUP;

// Devices that shell scripts and compilers open.
constexpr std::array kDevices{"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"};

// --- mounts (linux/mount.h cannot be included beside sys/mount.h)

constexpr int kMountSetattr = 442;  // SYS_mount_setattr of newer headers
constexpr std::uint64_t kReadOnly = 1;
constexpr std::uint64_t kNoSetUserId = 2;
constexpr std::uint64_t kNoDevices = 4;

struct MountAttributes {
  std::uint64_t set;
  std::uint64_t clear;
  std::uint64_t propagation;
  std::uint64_t user_namespace;
};

bool set_mount(const char* path, int flags, std::uint64_t set, std::uint64_t clear) {
  const MountAttributes attributes{set, clear, 0, 0};
  return ::syscall(kMountSetattr, AT_FDCWD, path, flags, &attributes, sizeof attributes) == 0;
}

bool write_once(const char* path, const char* text, std::size_t bytes) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t written = ::write(fd, text, bytes);
  const int error = errno;
  ::close(fd);
  errno = error;
  return written == static_cast<ssize_t>(bytes);
}

// --- the system call filter

// What no compiler needs, and what would be a way out or a large part of the kernel to attack.
constexpr std::array kRefusedCalls{SYS_socket,
                                   SYS_ptrace,
                                   SYS_process_vm_readv,
                                   SYS_process_vm_writev,
                                   SYS_pidfd_getfd,
                                   SYS_mount,
                                   SYS_umount2,
                                   SYS_move_mount,
                                   SYS_open_tree,
                                   SYS_fsopen,
                                   SYS_fsconfig,
                                   SYS_fsmount,
                                   SYS_fspick,
                                   kMountSetattr,
                                   SYS_pivot_root,
                                   SYS_chroot,
                                   SYS_setns,
                                   SYS_unshare,
                                   SYS_bpf,
                                   SYS_perf_event_open,
                                   SYS_userfaultfd,
                                   SYS_keyctl,
                                   SYS_add_key,
                                   SYS_request_key,
                                   SYS_io_uring_setup,
                                   SYS_io_uring_enter,
                                   SYS_io_uring_register,
                                   SYS_open_by_handle_at,
                                   SYS_init_module,
                                   SYS_finit_module,
                                   SYS_delete_module,
                                   SYS_kexec_load,
                                   SYS_kexec_file_load,
                                   SYS_reboot,
                                   SYS_swapon,
                                   SYS_swapoff,
                                   SYS_acct,
                                   SYS_quotactl,
                                   SYS_settimeofday,
                                   SYS_clock_settime,
                                   SYS_adjtimex,
                                   SYS_clock_adjtime,
                                   SYS_sethostname,
                                   SYS_setdomainname,
                                   SYS_iopl,
                                   SYS_ioperm,
                                   SYS_syslog,
                                   SYS_vhangup,
                                   SYS_fanotify_init};

std::vector<sock_filter> system_call_filter() {
  constexpr std::uint32_t kX32Bit = 0x40000000;
  const auto statement = [](std::uint16_t code, std::uint32_t value) {
    return sock_filter{code, 0, 0, value};
  };
  const auto jump = [](std::uint16_t test, std::uint32_t value, std::size_t yes, std::size_t no) {
    return sock_filter{static_cast<std::uint16_t>(BPF_JMP | test | BPF_K),
                       static_cast<std::uint8_t>(yes), static_cast<std::uint8_t>(no), value};
  };
  const auto load = [&](std::size_t offset) {
    return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  };
  const auto answer = [&](std::uint32_t action) { return statement(BPF_RET | BPF_K, action); };

  std::vector<sock_filter> filter{
      load(offsetof(seccomp_data, arch)),
      jump(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0),
      answer(SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
      jump(BPF_JGE, kX32Bit, 0, 1),
      answer(SECCOMP_RET_KILL_PROCESS),
      // Its flags are in memory, where no filter sees them; libraries fall back on clone.
      jump(BPF_JEQ, SYS_clone3, 0, 1),
      answer(SECCOMP_RET_ERRNO | ENOSYS),
  };
  // Behind the list: the flags of clone, then the two answers.
  std::size_t left = kRefusedCalls.size();
  for (const int call : kRefusedCalls) {
    filter.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(call), left + 3, 0));
    --left;
  }
  filter.push_back(jump(BPF_JEQ, SYS_clone, 0, 2));
  filter.push_back(load(offsetof(seccomp_data, args)));
  filter.push_back(jump(BPF_JSET, kEveryNamespace, 1, 0));
  filter.push_back(answer(SECCOMP_RET_ALLOW));
  filter.push_back(answer(SECCOMP_RET_ERRNO | EPERM));
  return filter;
}

// --- Landlock (its header is older than the kernel it may run on)

constexpr long kLandlockCreate = 444;
constexpr long kLandlockAdd = 445;
constexpr long kLandlockEnter = 446;

struct LandlockRules {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scoped;
};

struct [[gnu::packed]] LandlockPath {
  std::uint64_t allowed;
  std::int32_t fd;
};

constexpr std::uint64_t kWriteFile = 1U << 1;
constexpr std::uint64_t kTruncate = 1U << 14;

// What a version knows of: all that changes files, TCP, and what leaves the process's domain.
LandlockRules landlock_rules(int version) {
  LandlockRules rules{kWriteFile | 0x1ff0, 0, 0};  // remove_dir to make_sym
  if (version >= 2) rules.files |= 1U << 13;       // refer
  if (version >= 3) rules.files |= kTruncate;
  if (version >= 4) rules.network = 3;  // bind and connect
  if (version >= 6) rules.scoped = 3;   // abstract sockets, signals
  return rules;
}

std::size_t landlock_bytes(int version) { return version >= 6 ? 24 : version >= 4 ? 16 : 8; }

int landlock_version() {
  constexpr unsigned kAskVersion = 1;
  const long version = ::syscall(kLandlockCreate, nullptr, std::size_t{0}, kAskVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

bool allow(int rules, const char* path, std::uint64_t allowed) {
  constexpr int kBelowPath = 1;
  const int fd = ::open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return false;
  const LandlockPath rule{allowed, fd};
  const bool added = ::syscall(kLandlockAdd, rules, kBelowPath, &rule, 0U) == 0;
  ::close(fd);
  return added;
}

// --- capabilities

// Root reads what its users' folders hold, as nurc itself does. All else goes.
const char* drop_capabilities(bool own_user) {
  const std::uint32_t kept = own_user ? 0 : 1U << CAP_DAC_READ_SEARCH;
  for (int capability = 0; capability < 64; ++capability) {
    if (capability < 32 && (kept >> capability & 1U) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL && errno != EPERM) {
      return "dropping capabilities";
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> has{};
  if (::syscall(SYS_capget, &header, has.data()) != 0) return "reading capabilities";
  std::array<__user_cap_data_struct, 2> keeps{};
  keeps[0].permitted = keeps[0].effective = has[0].permitted & kept;
  if (::syscall(SYS_capset, &header, keeps.data()) != 0) return "dropping capabilities";
  return nullptr;
}

}  // namespace

const char* Fence::enclose(const char* folder) const {
  if (namespaces_ == 0) return nullptr;
  if (::unshare(namespaces_) != 0) return "namespaces";
  if (has_own_user_) {
    if (!write_once("/proc/self/setgroups", "deny", 4)) return "/proc/self/setgroups";
    if (!write_once("/proc/self/uid_map", user_map_.data(), user_map_.size())) {
      return "/proc/self/uid_map";
    }
    if (!write_once("/proc/self/gid_map", group_map_.data(), group_map_.size())) {
      return "/proc/self/gid_map";
    }
  }
  // Nothing that is mounted from here on is seen by others. In a chroot the root is no mount.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "private mounts";
  for (const char* device : kDevices) {
    if (::mount(device, device, nullptr, MS_BIND, nullptr) != 0 && errno != ENOENT) return device;
  }
  if (folder != nullptr && ::mount(folder, folder, nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return folder;
  }
  constexpr int kRecursive = 0x8000;
  if (!set_mount("/", kRecursive, kReadOnly | kNoSetUserId | kNoDevices, 0)) {
    return "read-only mounts";
  }
  for (const char* device : kDevices) set_mount(device, 0, 0, kNoDevices);
  if (folder != nullptr && !set_mount(folder, 0, 0, kReadOnly)) return folder;
  return nullptr;
}

void Fence::hide_processes() const {
  // Where this is refused the outer ones are seen, and no more than seen.
  ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr);
}

const char* Fence::restrict_files(const char* folder) const {
  const LandlockRules wanted = landlock_rules(landlock_version_);
  const int rules =
      static_cast<int>(::syscall(kLandlockCreate, &wanted, landlock_bytes(landlock_version_), 0U));
  if (rules < 0) return "Landlock";
  allow(rules, "/dev/null", wanted.files & (kWriteFile | kTruncate));
  if (folder != nullptr && !allow(rules, folder, wanted.files)) return folder;
  if (::syscall(kLandlockEnter, rules, 0U) != 0) return "Landlock";
  ::close(rules);
  return nullptr;
}

const char* Fence::confine(const char* folder) const {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
  if (const char* step = drop_capabilities(has_own_user_)) return step;
  if (landlock_version_ != 0) {
    if (const char* step = restrict_files(folder)) return step;
  }
  if (!filter_.empty()) {
    const sock_fprog program{static_cast<std::uint16_t>(filter_.size()),
                             const_cast<sock_filter*>(filter_.data())};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
      return "system call filter";
    }
  }
  return nullptr;
}

// How an attempt went. The step is a literal of this program or a path, so a fork's is ours, too.
struct Fence::Verdict {
  const char* step = "starting a process";
  int error = 0;
  [[nodiscard]] std::string text() const {
    return fmt::format("{}: {}", step, std::strerror(error));
  }
};

Fence::Verdict Fence::attempt() const {
  Verdict verdict;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return verdict;
  const pid_t pid = ::_Fork();
  if (pid == 0) {
    errno = 0;
    const char* step = enclose(nullptr);
    const pid_t inside = step == nullptr ? ::_Fork() : -1;
    if (inside == 0) {
      if (has_own_processes()) hide_processes();
      step = confine(nullptr);
    }
    // Whoever got farthest tells.
    if (inside <= 0) {
      if (inside < 0 && step == nullptr) step = "starting a process";
      const Verdict found{step, errno};
      if (::write(ends[1], &found, sizeof found) != sizeof found) ::_exit(1);
    } else {
      ::waitpid(inside, nullptr, 0);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  if (::read(ends[0], &verdict, sizeof verdict) != sizeof verdict) verdict = Verdict();
  ::close(ends[0]);
  if (pid > 0) ::waitpid(pid, nullptr, 0);
  return verdict;
}

const Fence& Fence::of_this_machine() {
  static const Fence fence = probe();
  return fence;
}

Fence Fence::probe() {
  const std::string files = "all but their scratch folder read-only";
  Fence fence;
  fence.filter_ = system_call_filter();

  std::string no_filter;
  if (const Verdict verdict = fence.attempt(); verdict.step != nullptr) {
    fence.filter_.clear();
    no_filter = verdict.text();
  }

  // Root's need no user namespace, and then see other users' folders as root does.
  fence.user_map_ = fmt::format("{0} {0} 1", ::geteuid());
  fence.group_map_ = fmt::format("{0} {0} 1", ::getegid());
  std::string no_namespaces;
  for (const bool own_user : {false, true}) {
    if (!own_user && ::geteuid() != 0) continue;
    fence.has_own_user_ = own_user;
    fence.namespaces_ = kNamespaces | (own_user ? CLONE_NEWUSER : 0);
    const Verdict verdict = fence.attempt();
    if (verdict.step == nullptr) {
      fence.description_ = fmt::format("fenced: no network, {}, no other process in reach", files);
      return fence;
    }
    no_namespaces = verdict.text();
  }

  fence.has_own_user_ = false;
  fence.namespaces_ = 0;
  fence.landlock_version_ = landlock_version();
  std::string no_landlock = "not in this kernel";
  if (fence.landlock_version_ > 0) {
    const Verdict verdict = fence.attempt();
    if (verdict.step == nullptr) {
      fence.description_ =
          fmt::format("fenced by Landlock: {}{} (no namespaces here: {})",
                      no_filter.empty() || fence.landlock_version_ >= 4 ? "no network, " : "",
                      files, no_namespaces);
      return fence;
    }
    no_landlock = verdict.text();
  }
  fence.landlock_version_ = 0;
  fence.description_ = fmt::format(
      "not fenced: {}nothing keeps them from other files (no namespaces here: {}; no "
      "Landlock: {}{}{})",
      no_filter.empty() ? "they have no network, but " : "", no_namespaces, no_landlock,
      no_filter.empty() ? "" : "; no system call filter: ", no_filter);
  return fence;
}

}  // namespace nur
