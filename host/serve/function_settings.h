// What one function may use, and what it is given: its limits, environment, arguments, directories
// and outbound rules. From nur.toml and the command line (host/config), or the defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "host/abi/handle/environment_table.h"
#include "host/abi/wasi/process.h"
#include "host/outbound/ip_address.h"
#include "host/sandbox/instance_pool.h"
#include "host/sandbox/outcome.h"

namespace nur {

struct FunctionLimits {
  SandboxLimits sandbox;
  PoolLimits pool;
  TimeLimits time;
  // Requests that wait for an instance: as many as there are instances, so each has one to go on
  // with; more would wait for longer than a second function call takes.
  std::size_t waiting_max = 1000;
  // Of one request's body: 413.
  std::size_t body_bytes_max = std::size_t{1} << 20;
  // Of one answer; it is held in memory until the client has taken it.
  std::size_t output_bytes_max = std::size_t{16} << 20;
  // Of one request's log lines; what is beyond is dropped.
  std::size_t log_bytes_max = std::size_t{64} << 10;
  // Of one request's connections to elsewhere, open at once.
  std::size_t sockets_max = 64;
  // Of what it stores, all workers together (KvLimits); without it, as --kv-max and memory have it.
  std::optional<std::uint64_t> kv_bytes_max{};
};

// A directory of the host that guests shall find open.
struct DirectoryGrant {
  Path host_path;
  std::string guest_path;
  bool writable = false;
  bool operator==(const DirectoryGrant&) const = default;
};

struct FunctionSettings {
  FunctionLimits limits;
  // What the function looks up by name, as variables or through env_get and db_get.
  EnvironmentTable environment;
  // Behind the function's name, which is the first one.
  std::vector<std::string> arguments;
  std::vector<DirectoryGrant> directories;
  // The directories, opened: by the master, before there is a worker (open_directories).
  std::vector<Preopen> preopens;
  // Where it may connect to, as written; nothing unless said.
  std::vector<std::string> outbound;
  // This machine's addresses, which those rules open only where they name them; read by the master.
  std::vector<IpAddress> own_addresses{};
};

// Opens all of `directories` as `preopens`. Errors: those of Preopen::open.
Result<void> open_directories(FunctionSettings& settings);

// The WASI process of one request to the function `name`: its arguments, environment and
// directories, with the variables of `request` ("NAME=value") that `settings` does not set itself.
// An argument "${ARGS}" stands for the parts of `query` between '&', as they were sent: WAGI gives
// them to every command, but what reads options from its arguments would take them from its clients
// (CVE-2012-1823 was that). Streams are the caller's to add.
WasiOptions process_options(const std::string& name, const FunctionSettings& settings,
                            std::vector<std::string> request = {}, std::string_view query = {});

}  // namespace nur
