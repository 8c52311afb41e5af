#include "host/artefact/artefact_files.h"

#include <algorithm>
#include <set>

namespace nur {
namespace {

// In the order of their names, so that two runs serve the same.
Result<std::vector<Path>> artefacts_in(const Path& folder) {
  std::vector<Path> files;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".so") files.push_back(entry->path());
  }
  if (error) {
    return fail(ErrorKind::not_found, "reading {}: {}", folder.string(), error.message());
  }
  std::ranges::sort(files);
  return files;
}

Result<std::vector<Path>> artefacts_at(const std::vector<Path>& paths) {
  std::vector<Path> files;
  for (const Path& path : paths) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
      return fail(ErrorKind::not_found, "{}: no such file or folder", path.string());
    }
    if (std::filesystem::is_directory(status)) {
      std::ranges::move(NUR_TRY(artefacts_in(path)), std::back_inserter(files));
    } else {
      files.push_back(path);
    }
  }
  return files;
}

}  // namespace

Result<void> verify_artefacts(const std::vector<NamedArtefact>& named,
                              const std::vector<Path>& paths, const OnVerified& on_verified,
                              const OnRefused& on_refused, const IsKnown& is_known) {
  std::set<std::string> names;
  const auto verify = [&](const NamedArtefact& file) {
    if (names.contains(file.name)) {
      on_refused(file.shown,
                 {ErrorKind::invalid_input,
                  "refused by rule name: another file is already served as " + file.name});
      return;
    }
    if (file.refused) return on_refused(file.shown, *file.refused);
    if (is_known && is_known(file)) {
      names.insert(file.name);
      return;
    }
    Result<VerifiedArtefact> artefact = VerifiedArtefact::read(file.path);
    if (!artefact) return on_refused(file.shown, artefact.error());
    names.insert(file.name);
    on_verified(file.name, file.shown, *std::move(artefact));
  };
  for (const NamedArtefact& file : named) verify(file);
  for (const Path& file : NUR_TRY(artefacts_at(paths))) verify({file.stem().string(), file, file});
  return {};
}

}  // namespace nur
