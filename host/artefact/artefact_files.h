// From the paths that are to be served to verified artefacts with names.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "host/artefact/verified_artefact.h"

namespace nur {

// Told of each file that is not served, with the reason.
using OnRefused = std::function<void(const Path& file, const Error& reason)>;
// Given each artefact under the name of its function, the file's stem.
using OnVerified =
    std::function<void(const std::string& name, const Path& file, VerifiedArtefact artefact)>;

// An artefact with a name of its own.
struct NamedArtefact {
  std::string name;
  Path path;
  Path shown;                      // in messages: what it was made of
  std::optional<Error> refused{};  // why there is no artefact
};

// Asked before a file is read; true: it is known, and was taken.
using IsKnown = std::function<bool(const NamedArtefact& file)>;

// Verifies `named`, then files, and of folders every *.so in them, in the order of their names.
// What is refused does not keep the others from being served. Errors: not_found for a path that is
// not there.
Result<void> verify_artefacts(const std::vector<NamedArtefact>& named,
                              const std::vector<Path>& paths, const OnVerified& on_verified,
                              const OnRefused& on_refused, const IsKnown& is_known = nullptr);

}  // namespace nur
