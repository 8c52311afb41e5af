// Proposals that nur does not run: every module of their scripts is either refused, naming the
// feature, or uses none of them and is then taken like any other.
#pragma once

#include "tests/spec/report.h"
#include "tests/spec/script.h"
#include "tests/spec/workshop.h"

namespace nur::spec {

// `proposal` is the folder's name: "tail-call". One assertion per module that is valid under the
// proposal; those that are refused are counted in Report::refused.
Report check_refusals(const std::vector<Command>& commands, const std::string& proposal,
                      const std::string& label, const Workshop& workshop);

}  // namespace nur::spec
