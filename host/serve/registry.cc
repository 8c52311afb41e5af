#include "host/serve/registry.h"

#include <algorithm>

#include "base/log.h"

namespace nur {
namespace {

// The artefacts of a folder in the order of their names, so that two runs serve the same.
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

}  // namespace

Result<Registry> Registry::load(const std::vector<Path>& paths, const FunctionLimits& limits,
                                const OnRefused& on_refused) {
  Registry registry;
  for (const Path& path : paths) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
      return fail(ErrorKind::not_found, "{}: no such file or folder", path.string());
    }
    if (std::filesystem::is_directory(status)) {
      for (const Path& file : NUR_TRY(artefacts_in(path))) registry.add(file, limits, on_refused);
    } else {
      registry.add(path, limits, on_refused);
    }
  }
  return registry;
}

void Registry::add(const Path& file, const FunctionLimits& limits, const OnRefused& on_refused) {
  const std::string name = file.stem().string();
  if (functions_.contains(name)) {
    on_refused(file, {ErrorKind::invalid_input,
                      "refused by rule name: another file is already served as " + name});
    return;
  }
  Result<std::unique_ptr<Function>> function = Function::load(name, file, limits);
  if (!function) {
    on_refused(file, function.error());
    return;
  }
  if ((*function)->module().manifest().profile_generate) {
    spdlog::warn(
        "function {}: counts for a profile (nurc compile --profile-generate), and is slower", name);
  }
  functions_.emplace(name, *std::move(function));
}

Function* Registry::find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, function] : functions_) names.push_back(name);
  return names;
}

}  // namespace nur
