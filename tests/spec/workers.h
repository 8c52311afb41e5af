// One process per script: signal handlers for traps are process-wide, a script that crashes takes
// nobody along, and two cores have two things to do.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "compiler/subprocess.h"
#include "tests/spec/report.h"

namespace nur::spec {

struct Job {
  std::string label;  // "core/br.wast"
  // Runs in the process of its own; `folder` is scratch for it alone.
  std::function<Report(const Path& folder)> run;
};

// Runs `jobs`, at most `at_once` at a time, in their order; `done` is told of each as it ends. A
// process that dies is a failure of its job. Errors: exhausted; interrupted.
Result<Report> run_jobs(const std::vector<Job>& jobs, int at_once, const Interrupt& interrupt,
                        const std::function<void(const Job&, const Report&, double)>& done);

}  // namespace nur::spec
