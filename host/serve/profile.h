// Profiles of functions, as files (docs/profile.md).
#pragma once

#include <span>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "host/serve/function.h"

namespace nur {

// What `function` counted until now. Errors: invalid_input when it counts nothing; those of
// publish_file.
Result<void> write_profile(const Function& function, const Path& file);

struct ProfileSource {
  std::string function;
  bool counts = false;  // its artefact was compiled to
};

// Makes `folder` where it is missing, and says in the log which functions count nothing.
// Errors: invalid_input when none counts; those of making the folder.
Result<void> prepare_profiles(std::span<const ProfileSource> sources, const Path& folder);

}  // namespace nur
