#include "host/prepare.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "host/artefact/verified_artefact.h"
#include "host/config/configuration.h"

namespace nur {
namespace {

bool is_module(const Path& file) {
  return file.extension() == ".wasm" || file.extension() == ".wat";
}

// Modules of a folder; one that has been compiled beside itself is served as what it became.
std::vector<Path> modules_in(const Path& folder) {
  std::vector<Path> modules;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    Path artefact = entry->path();
    artefact.replace_extension(".so");
    std::error_code ignored;
    if (entry->path().extension() == ".wasm" && !std::filesystem::exists(artefact, ignored)) {
      modules.push_back(entry->path());
    }
  }
  std::ranges::sort(modules);
  return modules;
}

class Preparation {
 public:
  explicit Preparation(ServeOptions& options) : options_(options) {}

  // Modules of the command line and of folders: what is wrong with one keeps no other from being
  // served.
  Result<void> add_paths(const std::vector<Path>& paths) {
    std::vector<ModuleToCompile> modules;
    for (const Path& path : paths) {
      std::error_code error;
      if (std::filesystem::is_directory(path, error)) {
        options_.paths.push_back(path);
        for (const Path& module : modules_in(path)) modules.push_back({module, std::nullopt});
      } else if (is_module(path) && std::filesystem::exists(path, error)) {
        modules.push_back({path, std::nullopt});
      } else {
        options_.paths.push_back(path);
      }
    }
    const std::vector<Result<Path>> artefacts = NUR_TRY(compile(modules));
    for (std::size_t i = 0; i < modules.size(); ++i) {
      if (artefacts[i]) {
        options_.named.push_back({modules[i].file.stem().string(), *artefacts[i], modules[i].file});
      } else {
        spdlog::error("not serving {}: {}", modules[i].file.string(), artefacts[i].error().message);
      }
    }
    return {};
  }

  // Of a configuration of serverless-wasm, which is served whole or not at all.
  Result<void> add_applications(std::vector<ServerlessApplication> applications) {
    std::vector<ModuleToCompile> modules;
    std::map<Path, std::size_t> numbers;  // of modules, by file
    for (const ServerlessApplication& application : applications) {
      if (!numbers.emplace(application.module, modules.size()).second) continue;
      modules.push_back({application.module, GuestAbi::handle});
    }
    std::vector<Result<Path>> artefacts = NUR_TRY(compile(modules));
    std::map<Path, NamedArtefact> named;
    std::map<Path, HandleEntries> entries;
    for (ServerlessApplication& application : applications) {
      const Result<Path>& artefact = artefacts[numbers.at(application.module)];
      if (!named.contains(application.module)) {
        const Path file = NUR_TRY(in_context(artefact, application.module_place));
        const VerifiedArtefact verified =
            NUR_TRY(in_context(VerifiedArtefact::read(file), application.module_place));
        named[application.module] = {name_for(application.module), file, application.module};
        options_.named.push_back(named[application.module]);
        if (Result<HandleEntries> found = HandleEntries::find(verified.manifest)) {
          entries.emplace(application.module, *std::move(found));
        }
      }
      warn_of_missing(application, entries);
      application.route.function = named[application.module].name;
      options_.handle_routes.push_back(std::move(application.route));
    }
    return {};
  }

  std::optional<CompiledModules> take() { return std::move(compiled_); }

 private:
  Result<std::vector<Result<Path>>> compile(const std::vector<ModuleToCompile>& given) {
    // An artefact is served as it is.
    std::vector<ModuleToCompile> modules;
    std::ranges::copy_if(given, std::back_inserter(modules),
                         [](const ModuleToCompile& module) { return is_module(module.file); });
    std::vector<Result<Path>> compiled;
    if (!modules.empty()) {
      if (!compiled_) compiled_.emplace(NUR_TRY(CompiledModules::open()));
      compiled = compiled_->compile(modules);
    }
    std::vector<Result<Path>> result;
    std::size_t next = 0;
    for (const ModuleToCompile& module : given) {
      result.push_back(is_module(module.file) ? compiled[next++] : Result<Path>(module.file));
    }
    return result;
  }

  // The file's, with a number if another module has it.
  std::string name_for(const Path& module) {
    const std::string stem = module.stem().string();
    std::string name = stem;
    for (int number = 2; !names_.insert(name).second; ++number) {
      name = fmt::format("{}-{}", stem, number);
    }
    return name;
  }

  static void warn_of_missing(const ServerlessApplication& application,
                              const std::map<Path, HandleEntries>& entries) {
    const auto found = entries.find(application.module);
    if (found != entries.end() && entry_of(application.route, found->second)) return;
    const std::string wanted = application.route.entry.value_or("handle");
    spdlog::warn("{}: {} exports no function {} of type () -> (); {} {} is answered 404{}",
                 application.route_place, application.module.string(), printable(wanted, 64),
                 printable(application.route.method, 64), printable(application.route.target, 200),
                 found == entries.end() ? "" : "; it exports " + found->second.names());
  }

  ServeOptions& options_;
  std::optional<CompiledModules> compiled_;
  std::set<std::string> names_;
};

}  // namespace

Result<Prepared> prepare(ServeCommand& command) {
  ServeOptions& options = command.options;
  Configuration read = NUR_TRY(read_configuration(options.paths, options.defaults, command.given));
  options.paths.clear();
  options.functions = std::move(read.functions);
  options.nebula = std::move(read.nebula);
  if (read.listen_address && !command.given.listen) options.server.address = *read.listen_address;
  options.only_handle_routes = !read.applications.empty() && read.paths.empty();
  Preparation preparation(options);
  NUR_TRY(preparation.add_applications(std::move(read.applications)));
  NUR_TRY(preparation.add_paths(read.paths));
  return Prepared{preparation.take()};
}

}  // namespace nur
