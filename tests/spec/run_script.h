// Runs the commands of one script.
#pragma once

#include "host/sandbox/trap_guard.h"
#include "tests/spec/report.h"
#include "tests/spec/script.h"
#include "tests/spec/skip_list.h"
#include "tests/spec/workshop.h"

namespace nur::spec {

// `label` is the script's name in messages. Lines in `skips` that no command has are failures.
Report run_script(const std::vector<Command>& commands, const std::string& label,
                  const SkippedLines& skips, const Workshop& workshop, const TrapGuard& guard);

}  // namespace nur::spec
