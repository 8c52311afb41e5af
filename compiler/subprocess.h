// Runs wasm2c, g++ and objcopy as gcc runs cc1 and as: with limits, behind a fence (fence.h),
// without a terminal or input, and dead when we die.
//
//   nurc: a thread that waits      first: a session of its own      init: inside the fence    tool
//     |--fork-----------------------> builds the fence
//     |                                 |--fork----------------------> reaps
//     |                                 |                                |--fork------------> exec
//     | dies ---parent-death signal---> kills the session                |
//     |                                 | dies ------SIGKILL-----------> and with it all inside
//     | <---ends as the tool did------- | <---------wait status--------- |
//
// Where there are no namespaces, init is left out, and what leaves the session is not found again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/result.h"

namespace nur {

// SIGINT and SIGTERM as something to poll. Blocks both for the calling thread and those it starts
// afterwards; made once by main, before any thread.
class Interrupt {
 public:
  static Result<Interrupt> listen();
  // Readable from the first signal on; nobody reads it, so every waiter sees it.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool raised() const;

 private:
  explicit Interrupt(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// What one child may use: a 132 KB module can keep gcc busy for minutes. All but `wall` hold for
// each process that the child starts in turn, and are named by limits.h.
struct ProcessLimits {
  std::uint64_t cpu_seconds = 120;
  std::uint64_t memory_bytes = std::uint64_t{4} << 30;  // of addresses
  std::uint64_t file_bytes = std::uint64_t{512} << 20;  // of any one file it writes
  // At a time, where the fence counts them: with a user namespace, and not of root's.
  std::uint64_t processes = 64;
  // For tools that hang: with half a core, CPU time ends first.
  Milliseconds wall{600'000};
};

struct Command {
  std::vector<std::string> arguments;  // the first is the program, an absolute path
  Path folder;                         // working directory, its TMPDIR, and all that it may write
  bool only_reads = false;             // not even there
  ProcessLimits limits;
};

// What the child wrote to standard output; standard error goes into the error when it fails.
// Errors: invalid_input when it exits with another status than 0 (its last words in the message);
// limit_exceeded when it hit a limit; internal when it died by another signal or could not be
// started; interrupted. A limit that is hit is named.
Result<std::string> run_process(const Command& command, const Interrupt& interrupt);

// For programs that are given only what they must take: exiting with another status than 0 is
// internal, too.
Result<std::string> run_trusted_process(const Command& command, const Interrupt& interrupt);

// Reads the file that a program should have made. Errors: internal when it is not there;
// limit_exceeded past `bytes_max`; those of read_file.
Result<std::string> read_output(const Path& file, std::size_t bytes_max);

}  // namespace nur
