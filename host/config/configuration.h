// From the paths of a command line to what shall be served, and how: artefacts, and the nur.toml
// beside them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "host/config/nur_toml.h"
#include "host/config/serverless_toml.h"

namespace nur {

struct Configuration {
  std::vector<Path> paths;  // folders and artefacts; a file of settings is its folder here
  std::map<std::string, FunctionSettings, std::less<>> functions;
  NebulaSettings nebula;
  // Of files of serverless-wasm.
  std::optional<std::string> listen_address;
  std::vector<ServerlessApplication> applications;
};

// A path may be a folder, an artefact, or a file of settings (*.toml), which stands for its folder;
// one of serverless-wasm stands for what is in it.
// Of each folder named, or of an artefact named, nur.toml is read where there is one.
// Errors: those of read_nur_toml; invalid_input for a section without an artefact in that folder,
// for two sections of one name, for two `[nebula]`, and for two
// addresses to listen on.
Result<Configuration> read_configuration(const std::vector<Path>& paths,
                                         const FunctionSettings& defaults,
                                         const GivenSettings& given);

}  // namespace nur
