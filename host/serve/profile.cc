#include "host/serve/profile.h"

#include "base/log.h"

namespace nur {

Result<void> write_profile(const Function& function, const Path& file) {
  const std::string profile =
      NUR_TRY(in_context(function.module().profile(), "function " + function.name()));
  return publish_file(file, profile);
}

Result<void> prepare_profiles(std::span<const ProfileSource> sources, const Path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail(ErrorKind::not_found, "--profile {}: {}", folder.string(), error.message());
  }
  bool any = false;
  for (const ProfileSource& source : sources) {
    if (source.counts) {
      any = true;
    } else {
      spdlog::warn(
          "function {}: no profile, it counts nothing; compile it with nurc compile "
          "--profile-generate",
          source.function);
    }
  }
  if (any) return {};
  return fail(ErrorKind::invalid_input,
              "--profile {}: no function counts; compile with nurc compile --profile-generate",
              folder.string());
}

}  // namespace nur
