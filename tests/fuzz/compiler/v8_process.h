// Node, running v8_side.mjs: started once, fed with plans, started again when it hangs or dies.
#pragma once

#include <string>
#include <sys/types.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/result.h"

namespace nur::fuzz {

class V8Process {
 public:
  struct Options {
    Path node;
    Path script;
    Milliseconds answer_time{20'000};
  };

  explicit V8Process(Options options) : options_(std::move(options)) {}
  ~V8Process() { stop(); }
  V8Process(const V8Process&) = delete;
  V8Process& operator=(const V8Process&) = delete;

  // The answer to `line` without its last line: a transcript, to which "timeout" is added when node
  // had to be stopped and "lost ..." when it died. Errors: exhausted; internal.
  Result<std::string> ask(const std::string& line);

 private:
  Result<void> start();
  // How it ended, "signal 6" or "exit 1".
  std::string stop();

  Options options_;
  pid_t child_ = -1;
  Fd input_;
  Fd output_;
  int answered_ = 0;
};

}  // namespace nur::fuzz
