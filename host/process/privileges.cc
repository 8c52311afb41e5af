#include "host/process/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

}  // namespace

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
