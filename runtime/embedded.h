// The runtime's C sources as bytes inside nurc, so that nurc is one file and every artefact is made
// with the runtime of the nurc that made it.
#pragma once

#include <span>
#include <string_view>

namespace nur {

struct EmbeddedFile {
  std::string_view name;  // relative to the folder of the compilation: "nur/abi.h"
  std::string_view bytes;
};

std::span<const EmbeddedFile> runtime_files();

}  // namespace nur
