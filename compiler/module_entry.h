// The C that nurc writes itself around a module: its configuration, the functions behind its
// imports and exports, and the data that become sections of the artefact.
//
// Nothing here comes from the module but numbers and value types: names of imports and exports
// stay in the manifest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/manifest.h"
#include "compiler/wasm/rewrite.h"

namespace nur {

// nur_config.h: what runtime/guest/nur_instance.h wants to know.
std::string config_header(const Manifest& manifest);

// entry.c: one function per import and export, and nur_module.
std::string entry_source(const Manifest& manifest, const std::vector<ImageRun>& image);

// sections.s: the memory image (image.bin) and the manifest (manifest.json) as sections.
std::string sections_source(std::size_t manifest_bytes, bool has_image);

// image.bin: the runs one behind the other.
std::string image_bytes(const std::vector<ImageRun>& image);

}  // namespace nur
