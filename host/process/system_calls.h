// The system calls that a worker may make once it serves, the key-value store, and the
// process of uploads; any other one
// ends it (seccomp(2)).
//
// Whoever takes over a worker through a flaw of ours finds a process that can go on answering the
// connections it has, and accept more. It cannot open a file or a socket, start or look into a
// process, or make memory executable. Only where some function may connect to somewhere
// (--outbound) can its worker open sockets of IP, and connect them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "host/sandbox/fault_record.h"

namespace nur {

struct AllowedCall {
  int number;
  const char* why;
};

// What a worker needs to answer requests.
std::span<const AllowedCall> serving_calls();

// Whether some function of this worker may connect to somewhere.
enum class Connecting : bool { refused, allowed };
// Allowed beside the others where one may.
std::span<const AllowedCall> outbound_calls(Connecting connecting);

// What a function of this worker may do with directories of the host.
enum class FileAccess : std::uint8_t { none, reading, writing };
// Allowed beside the others, for functions that have directories only (confine_to_directories()
// says to which files they lead).
std::span<const AllowedCall> file_calls(FileAccess access);

// No worker is left with more than this, whatever its functions may do.
inline constexpr std::size_t kAllowedCallsMax = 60;

// From here on other calls end this process with SIGSYS, and `record`, which outlives it, says
// which. Errors: not_found when this kernel or container has no filters, or the build none that
// fits (AddressSanitizer).
Result<void> allow_only_these_calls(FaultRecord& record, FileAccess access = FileAccess::none,
                                    Connecting connecting = Connecting::refused);

// The key-value store has a list of its own: no file but those that are open, no new process, no
// executable memory, and no way to others but what it is handed.
std::span<const AllowedCall> store_calls();
// As above. `record` outlives this process's calls.
Result<void> allow_only_calls_of_the_store(FaultRecord& record);

// And so has the process of uploads: it accepts connections, and opens and renames files, beneath
// the folder that Landlock has left it.
std::span<const AllowedCall> upload_calls();
Result<void> allow_only_calls_of_uploads(FaultRecord& record);

// "execve", or its number when it has no name here.
std::string system_call_name(int number);

}  // namespace nur
