// What a worker gives up before it touches anything of a stranger's.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>

#include "base/result.h"
#include "host/abi/wasi/process.h"

namespace nur {

// Whom workers become when the master is root's and nobody is named.
inline constexpr const char* kDefaultUser = "nobody";

struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
};

// Whom workers become: of root's master `user`, or kDefaultUser; nullopt when they stay who the
// master is, because only root can become somebody else. Errors: not_found for an unknown name;
// invalid_input when it is another one than the master's, which is not root's.
Result<std::optional<Account>> account_of_workers(const std::optional<std::string>& user);

// Becomes `account`, for good: no groups, no capabilities, none to be gained by what is executed
// (PR_SET_NO_NEW_PRIVS), no new processes (RLIMIT_NPROC), and no memory that is first written and
// then executed (PR_SET_MDWE, where the kernel has it). Errors: internal.
Result<void> drop_privileges(const std::optional<Account>& account);

// From here on this process can open and change only what is beneath these directories, and only
// read beneath those that are not writable, whatever path it names (Landlock, Linux 5.19). Errors:
// not_found where the kernel has none; internal.
Result<void> confine_to_directories(std::span<const Preopen> directories);

// From here on nobody but root can look into this process, and it leaves no core
// (PR_SET_DUMPABLE).
void become_opaque();

}  // namespace nur
