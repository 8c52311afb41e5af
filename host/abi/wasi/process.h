// What a WASI guest takes for its process: arguments, environment, streams, files and clocks.
//
// Made for one run of a guest and thrown away behind it; everything a guest opened closes with it.
// By default a guest has nothing: no arguments, no variables, no files, empty input, output that
// goes nowhere.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/result.h"
#include "host/abi/wasi/file_table.h"
#include "host/abi/wasi/sources.h"
#include "host/abi/wasi/streams.h"

namespace nur {

// A directory of the host that a guest finds open. Opened once and given to any number of guests.
struct Preopen {
  std::shared_ptr<const Fd> directory;
  std::string guest_path;  // "/data": what the guest's C library matches paths against
  // Unless set, nothing below can be changed: a writing call is ENOTCAPABLE.
  bool writable = false;

  // Errors: not_found; invalid_input when it is no directory; internal.
  static Result<Preopen> open(const Path& host_path, std::string guest_path, bool writable);
};

struct WasiOptions {
  std::vector<std::string> arguments;    // the first is the program's name
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<Preopen> preopens;         // descriptors 3, 4, ...

  // Borrowed for the life of the process. nullptr: empty input, output that goes nowhere.
  WasiStream* standard_input = nullptr;
  WasiStream* standard_output = nullptr;
  WasiStream* standard_error = nullptr;

  // Borrowed too. nullptr: the system's.
  const WasiClocks* clocks = nullptr;
  const RandomSource* random = nullptr;

  // What guests see of both clocks is a multiple of it. Fine clocks help measure other guests'
  // caches; 1 ms is what a request can use.
  Nanoseconds clock_resolution = Milliseconds{1};

  // Open descriptors, with the three streams. A host has few thousand for all its guests.
  std::size_t open_files_max = 64;
};

class WasiProcess {
 public:
  // Errors: invalid_input for a NUL in an argument or variable, or a variable without '=';
  // limit_exceeded when strings are over 1 MiB or preopens over open_files_max.
  static Result<WasiProcess> create(WasiOptions options);

  [[nodiscard]] const std::vector<std::string>& arguments() const { return options_.arguments; }
  [[nodiscard]] const std::vector<std::string>& environment() const { return options_.environment; }
  [[nodiscard]] wasi::FileTable& files() { return files_; }
  [[nodiscard]] const WasiClocks& clocks() const { return *options_.clocks; }
  [[nodiscard]] const RandomSource& random() const { return *options_.random; }
  [[nodiscard]] Nanoseconds clock_resolution() const { return options_.clock_resolution; }

  // Since when the guest waits in poll_oneoff, which is asked again and again meanwhile.
  std::optional<TimePoint> polling_since;

 private:
  explicit WasiProcess(WasiOptions options);

  WasiOptions options_;
  std::unique_ptr<NullStream> null_stream_;  // its address outlives moves
  wasi::FileTable files_;
};

}  // namespace nur
