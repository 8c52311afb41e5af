// C -> shared object: the units compiled and linked, and what makes the result an artefact.
#pragma once

#include <string>

#include "base/manifest.h"
#include "base/result.h"
#include "compiler/build_services.h"
#include "compiler/c_flags.h"
#include "compiler/function_names.h"
#include "compiler/profile.h"
#include "compiler/subprocess.h"
#include "compiler/toolchain.h"
#include "compiler/translate.h"

namespace nur {

// An artefact that is not yet published: sealed bytes that the host's own verifier has accepted.
struct SharedObject {
  std::string bytes;
};

// Compiles what translate() and module_entry left in `sources.folder`. `identity` is what an object
// that counts says of itself.
// Errors: internal when the verifier refuses the result; those of run_process.
Result<SharedObject> build_object(const CSources& sources, const FunctionNames& names,
                                  const BuildOptions& options, const ProfileIdentity& identity,
                                  const Toolchain& toolchain, const Interrupt& interrupt,
                                  const BuildServices& services);

}  // namespace nur
