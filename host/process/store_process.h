// The key-value store's process: the only one that writes, so that a slow disk holds up nobody but
// who waits for the store.
//
//   fork -> drop privileges -> open the database -> close the filter of system calls -> ready
//   -> serve -> the master is gone -> exit
//
// The master hands it one connection per worker. It runs no guest, and knows of workers only what
// they send.
#pragma once

#include <optional>

#include "base/file.h"
#include "host/kv/kv_database.h"
#include "host/process/channel.h"
#include "host/process/privileges.h"
#include "host/sandbox/fault_record.h"

namespace nur {

struct StoreSetup {
  std::optional<Path> folder;  // none: in memory
  KvLimits limits;
  Channel channel;
  pid_t master;
  const std::optional<Account>& account;  // whom to become
  FaultRecord& fault;                     // where the master finds what it died of
};

// Makes `folder` if it is not there, for `account` alone, before privileges are dropped.
// Errors: exhausted, not_found: it cannot be made.
Result<void> prepare_store_folder(const Path& folder, const std::optional<Account>& account);

// Called in the forked process, which ends with it.
[[noreturn]] void run_store(StoreSetup setup);

}  // namespace nur
