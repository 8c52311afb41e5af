// The process that takes uploads: the only one that writes to a folder of functions, and the only
// one that knows the token.
//
//   fork -> read the token -> drop privileges -> close Landlock and the filter of system calls
//   -> ready -> serve -> drained, or the master is gone -> exit
//
// What it has stored is nobody's to run until the master has verified it again: this process hands
// nothing over but files in that folder. It runs no guest.
#pragma once

#include <optional>

#include "base/file.h"
#include "host/process/channel.h"
#include "host/process/privileges.h"
#include "host/process/serve_options.h"
#include "host/sandbox/fault_record.h"

namespace nur {

// Connections to it, at once; each that has the token may hold a body of the largest size.
inline constexpr std::size_t kUploadConnectionsMax = 8;
// Of one address.
inline constexpr std::size_t kUploadConnectionsPerClient = 4;

struct UploadSetup {
  const UploadOptions& options;  // with a folder
  Fd listening;
  Channel channel;
  pid_t master;
  FaultRecord& fault;  // where the master finds what it died of
};

// Called in the forked process, which ends with it.
[[noreturn]] void run_upload(UploadSetup setup);

}  // namespace nur
