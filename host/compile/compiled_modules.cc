#include "host/compile/compiled_modules.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/artefact_file.h"
#include "base/log.h"
#include "base/version.h"
#include "host/artefact/verified_artefact.h"
#include "host/compile/nurc_process.h"
#include "nur/abi.h"

namespace nur {
namespace {

constexpr std::string_view kScratchPrefix = "new-";

// As nurc looks for it.
std::string cache_folder() {
  const auto below = [](const char* variable, const char* rest) -> std::string {
    const char* const value = std::getenv(variable);
    if (value == nullptr || *value != '/') return "";
    return std::string(value) + rest;
  };
  const char* const given = std::getenv("NUR_CACHE");
  if (given != nullptr && *given != '\0') return given;
  std::string folder = below("XDG_CACHE_HOME", "/nurc");
  return folder.empty() ? below("HOME", "/.cache/nurc") : folder;
}

Result<void> make_own_folder(const Path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorKind::exhausted, "cache {}: {}; name another with NUR_CACHE", folder.string(),
                std::strerror(errno));
  }
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::invalid_input, "cache {}: not a folder; name another with NUR_CACHE",
                folder.string());
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(ErrorKind::invalid_input,
                "cache {}: others may write to it and decide what is served; name another with "
                "NUR_CACHE",
                folder.string());
  }
  return {};
}

// What a nurhost that was killed has left behind.
void remove_leftovers(const Path& folder) {
  constexpr std::chrono::hours kNobodyCompilesForSoLong(1);
  const auto old = std::filesystem::file_time_type::clock::now() - kNobodyCompilesForSoLong;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->path().filename().string().starts_with(kScratchPrefix) &&
        at->last_write_time(ignored) < old && !ignored) {
      std::filesystem::remove_all(at->path(), ignored);
    }
  }
}

bool is_whole(const Path& artefact) {
  std::error_code error;
  return std::filesystem::exists(artefact, error) && VerifiedArtefact::read(artefact).has_value();
}

}  // namespace

Result<CompiledModules> CompiledModules::open() {
  const Path cache = cache_folder();
  if (!cache.empty()) {
    std::error_code error;
    if (cache.has_parent_path()) std::filesystem::create_directories(cache.parent_path(), error);
    NUR_TRY(make_own_folder(cache));
    NUR_TRY(make_own_folder(cache / "modules"));
    remove_leftovers(cache / "modules");
    return CompiledModules(cache / "modules");
  }
  ScratchDir scratch = NUR_TRY(ScratchDir::create("nurhost-"));
  CompiledModules modules(scratch.path());
  modules.scratch_.emplace(std::move(scratch));
  return modules;
}

Result<Path> CompiledModules::place_of(const ModuleToCompile& module) const {
  const std::string bytes = NUR_TRY(read_file(module.file, kArtefactBytesMax));
  const std::string key =
      fmt::format("nurhost {}\n{}\n{}\n{}", kVersion, NUR_ABI_VERSION,
                  module.abi ? to_string(*module.abi) : "auto", to_hex(sha256(bytes)));
  return folder_ / (to_hex(sha256(key)) + ".so");
}

std::vector<Result<Path>> CompiledModules::compile(std::span<const ModuleToCompile> modules) {
  std::vector<Result<Path>> places;
  std::map<Path, ModuleToCompile> missing;  // by the artefact's place
  for (const ModuleToCompile& module : modules) {
    places.push_back(place_of(module));
    if (!places.back()) continue;
    if (is_whole(*places.back())) {
      // Used now; what is removed goes by it.
      ::utimensat(AT_FDCWD, places.back()->c_str(), nullptr, 0);
    } else {
      missing.emplace(*places.back(), module);
    }
  }
  std::optional<Error> failed;
  while (!missing.empty() && !failed) {
    // One nurc for all whose artefacts would not have the same name.
    std::map<Path, ModuleToCompile> batch;
    std::set<Path> names;
    for (auto at = missing.begin(); at != missing.end();) {
      const bool fits = at->second.abi == missing.begin()->second.abi &&
                        names.insert(at->second.file.stem()).second;
      // The first always fits, so that each round has fewer.
      if (fits && batch.size() < 64) {
        batch.insert(missing.extract(at++));
      } else {
        ++at;
      }
      if (missing.empty()) break;
    }
    if (const Result<void> compiled = compile_batch(batch); !compiled) failed = compiled.error();
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::error_code error;
    if (!places[i] || std::filesystem::exists(*places[i], error)) continue;
    if (failed) {
      places[i] = std::unexpected(*failed);
    } else {
      places[i] = fail(ErrorKind::invalid_input, "{}: nurc has refused it, as said above",
                       modules[i].file.string());
    }
  }
  return places;
}

std::vector<Result<Path>> CompiledModules::find(std::span<const ModuleToCompile> modules) const {
  std::vector<Result<Path>> places;
  for (const ModuleToCompile& module : modules) {
    places.push_back(place_of(module));
    if (places.back() && !is_whole(*places.back())) {
      places.back() = fail(ErrorKind::invalid_input, "{}: nurc has refused it, as said above",
                           module.file.string());
    }
  }
  return places;
}

Result<void> CompiledModules::compile_batch(const std::map<Path, ModuleToCompile>& batch) {
  const Path nurc = NUR_TRY(
      in_context(find_nurc(), fmt::format("compiling {}", batch.begin()->second.file.string())));
  std::string scratch = (folder_ / fmt::format("{}XXXXXX", kScratchPrefix)).string();
  if (::mkdtemp(scratch.data()) == nullptr) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating " + scratch));
  }
  std::vector<std::string> arguments{"compile", "-o", scratch + "/"};
  if (const auto& abi = batch.begin()->second.abi) {
    arguments.insert(arguments.end(), {"--abi", std::string(to_string(*abi))});
  }
  for (const auto& [place, module] : batch) {
    spdlog::info("compiling {}", module.file.string());
    std::error_code error;
    const Path absolute = std::filesystem::absolute(module.file, error);
    arguments.push_back(error ? module.file.string() : absolute.string());
  }
  const Result<bool> ran = run_nurc(nurc, arguments);
  std::error_code error;
  for (const auto& [place, module] : batch) {
    Path made = Path(scratch) / module.file.filename();
    made.replace_extension(".so");
    std::filesystem::rename(made, place, error);
  }
  std::filesystem::remove_all(scratch, error);
  if (!ran) return std::unexpected(ran.error());
  return {};
}

}  // namespace nur
