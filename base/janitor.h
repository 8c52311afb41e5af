// A process that removes a path when ours has ended without doing so, however it ended.
//
//   us                           janitor: a session of its own, one end of a socket and nothing
//   else
//     make_folder(path) --fork--> makes the folder, and says how that went
//     ...                         waits
//     dismissed --one byte------> exits
//     killed --end of stream----> removes `path` with all below it, exits
//
// The janitor is there before what it removes, so that no instant is left at which a SIGKILL could
// leave something behind. What still writes below `path` then is dying, too; it tries again.
#pragma once

#include <sys/types.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/result.h"

namespace nur {

class Janitor {
 public:
  // Makes the folder `path` for its owner alone.
  // Errors: not_found (no such parent), exhausted (disk full), internal (also when it is there).
  static Result<Janitor> make_folder(const Path& path);
  // Watches over a name that is not there yet. Errors: exhausted.
  static Result<Janitor> watch(const Path& path);

  // Nothing is removed any more.
  ~Janitor();
  Janitor(Janitor&& other) noexcept;
  Janitor& operator=(Janitor&&) = delete;

 private:
  enum class Chore { make_and_remove, remove };
  static Result<Janitor> start(const Path& path, Chore chore);
  Janitor(pid_t pid, Fd line) : pid_(pid), line_(std::move(line)) {}

  pid_t pid_;
  Fd line_;
};

}  // namespace nur
