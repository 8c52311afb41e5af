// A worker: one process, one thread, one event loop; the only kind of process that runs guests.
//
//   fork -> drop privileges -> load what the master hands over -> allow few system calls -> ready
//        -> serve -> drain -> exit
//
// It never opens a file by its path: functions come as sealed memory files. When the master dies it
// takes no more connections, so that the next master can have the address, finishes what is in
// flight and ends.
#pragma once

#include <sys/types.h>
#include <vector>

#include "base/fd.h"
#include "host/process/channel.h"
#include "host/process/privileges.h"
#include "host/process/serve_options.h"
#include "host/serve/quarantine_table.h"
#include "host/serve/worker_page.h"

namespace nur {

struct WorkerSetup {
  const ServeOptions& options;
  Channel channel;
  Fd listening;
  std::vector<Fd> tcp_listening;  // as options.tcp
  WorkerPage& page;
  std::vector<const WorkerPage*> others;
  const QuarantineTable& quarantine;
  pid_t master;
  const std::optional<Account>& account;  // whom to become
};

// Exit codes of a worker: 0 when it was told to end, or this one when it could not do its work; it
// has said why.
inline constexpr int kWorkerFailed = 1;

// Called in the forked process, which ends with it.
[[noreturn]] void run_worker(WorkerSetup setup);

}  // namespace nur
