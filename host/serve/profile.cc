#include "host/serve/profile.h"

#include "base/log.h"

namespace nur {
namespace {

bool counts(const Function& function) { return function.module().manifest().profile_generate; }

}  // namespace

Result<void> write_profile(const Function& function, const Path& file) {
  const std::string profile =
      NUR_TRY(in_context(function.module().profile(), "function " + function.name()));
  return publish_file(file, profile);
}

Result<void> prepare_profiles(const Registry& registry, const Path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail(ErrorKind::not_found, "--profile {}: {}", folder.string(), error.message());
  }
  bool any = false;
  for (const std::string& name : registry.names()) {
    if (counts(*registry.find(name))) {
      any = true;
    } else {
      spdlog::warn(
          "function {}: no profile, it counts nothing; compile it with nurc compile "
          "--profile-generate",
          name);
    }
  }
  if (any) return {};
  return fail(ErrorKind::invalid_input,
              "--profile {}: no function counts; compile with nurc compile --profile-generate",
              folder.string());
}

Result<void> write_profiles(const Registry& registry, const Path& folder) {
  Result<void> result;
  for (const std::string& name : registry.names()) {
    const Function& function = *registry.find(name);
    if (!counts(function)) continue;
    const Result<void> written = write_profile(function, folder / (name + ".profile"));
    if (!written && result) result = written;
  }
  return result;
}

}  // namespace nur
