// The master: owns the address and the artefacts, runs no guest and maps no artefact.
//
//   verify files --- sealed memory files ---> worker, worker, ...      (channel.h)
//        listen ---- one socket, shared ---->
//                <-- counters, who runs -----                          (worker_page.h)
//
// It starts workers, starts those that die again (restart_delay.h), and keeps functions that bring
// their workers down from being run (quarantine.h). When functions come, change or go, or at
// SIGHUP, it has a next generation of workers serve (generation.h). Connections that wait to be
// accepted are the socket's, which is the master's, and outlive any worker.
#pragma once

#include "base/result.h"
#include "host/process/reloading.h"

namespace nur {

// Serves until a signal ends it. Errors: what kept it from starting.
Result<void> serve(const ServeOptions& options, Reloading& reloading);

}  // namespace nur
