#include "host/process/privileges.h"

#include <cstdint>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

namespace nur {
namespace {

// Linux 6.3; older headers do not name them.
constexpr int kSetMdwe = 65;
constexpr unsigned long kRefuseExecGain = 1;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Result<void> become(const Account& account) {
  if (::setgroups(0, nullptr) == 0 &&
      ::setresgid(account.group, account.group, account.group) == 0 &&
      ::setresuid(account.user, account.user, account.user) == 0) {
    return {};
  }
  return fail(ErrorKind::internal, "{}; start nurhost as that user, or name another with --user",
              system_error_text("becoming user " + account.name));
}

Result<void> lose_capabilities() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  const __user_cap_data_struct none[2] = {};
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::syscall(SYS_capset, &header, none) == 0) return {};
  return fail(ErrorKind::internal, "{}", system_error_text("giving up capabilities"));
}

// Rights to files, as linux/landlock.h has them; ones that older headers do not name are written
// out.
constexpr std::uint64_t kLandlockRefer = std::uint64_t{1} << 13;     // Linux 5.19
constexpr std::uint64_t kLandlockTruncate = std::uint64_t{1} << 14;  // Linux 6.2
constexpr std::uint64_t kLandlockIoctl = std::uint64_t{1} << 15;     // Linux 6.10
constexpr std::uint64_t kLandlockRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// Neither devices, sockets and pipes, nor programs.
constexpr std::uint64_t kLandlockWrite =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |
    kLandlockRefer;
constexpr std::uint64_t kLandlockAll = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

// Of earlier ones no file can be renamed from one directory to another.
constexpr long kLandlockVersion = 2;

}  // namespace

Result<void> confine_to_directories(std::span<const Preopen> directories) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < kLandlockVersion) {
    return fail(ErrorKind::not_found, "this kernel has no Landlock of version {}",
                kLandlockVersion);
  }
  const std::uint64_t truncate = version >= 3 ? kLandlockTruncate : 0;
  landlock_ruleset_attr rules{};
  rules.handled_access_fs =
      kLandlockAll | kLandlockRefer | truncate | (version >= 5 ? kLandlockIoctl : 0);
  const Fd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0)));
  if (!ruleset.is_open()) {
    return fail(ErrorKind::internal, "{}", system_error_text("making a Landlock ruleset"));
  }
  for (const Preopen& directory : directories) {
    landlock_path_beneath_attr rule{};
    rule.allowed_access = kLandlockRead | (directory.writable ? kLandlockWrite | truncate : 0);
    rule.parent_fd = directory.directory->get();
    if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) !=
        0) {
      return fail(ErrorKind::internal, "{}",
                  system_error_text("allowing a directory with Landlock"));
    }
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return fail(ErrorKind::internal, "{}", system_error_text("closing Landlock"));
  }
  return {};
}

Result<std::optional<Account>> account_of_workers(const std::optional<std::string>& user) {
  const bool root = ::geteuid() == 0;
  if (!root && !user) return std::optional<Account>();
  const std::string name = user.value_or(kDefaultUser);
  const passwd* const entry = ::getpwnam(name.c_str());
  if (entry == nullptr) {
    return fail(ErrorKind::not_found, "--user {}: there is no such user; name one that is there",
                name);
  }
  if (root) return std::optional(Account{name, entry->pw_uid, entry->pw_gid});
  if (entry->pw_uid == ::geteuid()) return std::optional<Account>();
  return fail(
      ErrorKind::invalid_input,
      "--user {}: only root can become another user; start nurhost as root, or leave it out", name);
}

Result<void> drop_privileges(const std::optional<Account>& account) {
  if (account) NUR_TRY(become(*account));
  NUR_TRY(lose_capabilities());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail(ErrorKind::internal, "{}", system_error_text("giving up new privileges"));
  }
  if (!kSanitized) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NPROC, &none);
    ::prctl(kSetMdwe, kRefuseExecGain, 0, 0, 0);
  }
  return {};
}

void become_opaque() { ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

}  // namespace nur
