// The commands that do not apply, by file and line, each with its reason (skips.txt).
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace nur::spec {

// Of one script: from line to reason.
using SkippedLines = std::map<int, std::string>;
// By the script's path below the folder of tests: "core/linking.wast".
using SkipList = std::map<std::string, SkippedLines>;

// Lines of text: `core/linking.wast 74-76,82 why`; # begins a comment.
// Errors: not_found; invalid_input, naming the line.
Result<SkipList> read_skip_list(const Path& file);
Result<SkipList> parse_skip_list(std::string_view text);

}  // namespace nur::spec
