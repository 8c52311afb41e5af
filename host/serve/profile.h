// Profiles of the functions of one process, as files (docs/profile.md).
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "host/serve/registry.h"

namespace nur {

// What `function` counted until now. Errors: invalid_input when it counts nothing; those of
// publish_file.
Result<void> write_profile(const Function& function, const Path& file);

// Makes `folder` where it is missing, and says in the log which functions count nothing.
// Errors: invalid_input when none counts; those of making the folder.
Result<void> prepare_profiles(const Registry& registry, const Path& folder);

// NAME.profile in `folder` of every function that counts. Errors: the first of those of
// write_profile, behind all others.
Result<void> write_profiles(const Registry& registry, const Path& folder);

}  // namespace nur
