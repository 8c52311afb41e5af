// What became of the commands of one script, and of all.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace nur::spec {

struct Report {
  int assertions = 0;  // passed, failed and skipped ones
  int passed = 0;
  int skipped = 0;
  int refused = 0;  // modules of refused proposals
  // "core/br.wast:12: assert_return: ...". A module or action that fails is one failed assertion
  // more.
  std::vector<std::string> failures;
  std::vector<std::string> unread;  // scripts of refused proposals in a syntax wast2json has not

  void add(const Report& other);
  [[nodiscard]] std::string summary() const;  // "assertions=3 passed=2 failed=0 skipped=1"
};

// Through a file, from the process that runs a script to the one that started it.
Result<void> write_report(const Path& file, const Report& report);
Result<Report> read_report(const Path& file);

}  // namespace nur::spec
