// nur.toml: what functions may use and are given (docs/configuration.md).
//
//   [function.cart]
//   environment = { LOG_LEVEL = "info" }
//   args = ["--verbose"]
//   limits = { memory = "64MiB", timeout = "2s", cpu = "200ms", concurrency = 32, queue = 64 }
//   files = [{ source = "assets", target = "/assets", mode = "ro" }]
//   allow_outbound = ["https://api.example.test"]
//
//   [nebula]
//   data = "history"
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/config/toml_file.h"
#include "host/serve/function_settings.h"
#include "host/serve/nebula/settings.h"

namespace nur {

inline constexpr const char* kNurToml = "nur.toml";

// What the command line or the process's environment said, which goes before a file.
struct GivenSettings {
  bool timeout = false;
  bool cpu_time = false;
  bool memory = false;
  bool body = false;
  bool kv = false;
  bool listen = false;
};

struct NurToml {
  struct Section {
    std::string function;
    TomlPlace place;
    FunctionSettings settings;
  };
  std::vector<Section> functions;  // in the order of the file
  std::optional<NebulaSettings> nebula;
};

// `defaults` are what the command line says, or the built-in ones. Sources of files are relative to
// the file's folder, and must be there. Errors: invalid_input, as "FILE:LINE:COLUMN: what".
Result<NurToml> read_nur_toml(const TomlFile& file, const FunctionSettings& defaults,
                              const GivenSettings& given);

}  // namespace nur
