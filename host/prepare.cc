#include "host/prepare.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "host/artefact/verified_artefact.h"

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

Path folder_of(const Path& file) { return file.has_parent_path() ? file.parent_path() : Path("."); }

// All that may have to be compiled.
std::vector<ModuleToCompile> modules_of(const Configuration& configuration) {
  std::vector<ModuleToCompile> modules;
  for (const ServerlessApplication& application : configuration.applications) {
    if (is_module(application.module)) modules.push_back({application.module, GuestAbi::handle});
  }
  for (const Path& path : configuration.paths) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      for (const Path& module : modules_in(path)) modules.push_back({module, std::nullopt});
    } else if (is_module(path) && std::filesystem::exists(path, error)) {
      modules.push_back({path, std::nullopt});
    }
  }
  return modules;
}

// `paths` as given on the command line.
Sources sources_of(const std::vector<Path>& paths, const Configuration& configuration) {
  Sources sources;
  const auto add = [](std::vector<Path>& to, Path path) {
    if (std::ranges::find(to, path) == to.end()) to.push_back(std::move(path));
  };
  for (const Path& path : paths) {
    std::error_code error;
    const bool is_folder = std::filesystem::is_directory(path, error);
    const Path folder = is_folder ? path : folder_of(path);
    add(sources.folders, folder);
    add(sources.settings, path.extension() == ".toml" && !is_folder ? path : folder / kNurToml);
  }
  for (const ServerlessApplication& application : configuration.applications) {
    add(sources.folders, folder_of(application.module));
  }
  return sources;
}

class Preparation {
 public:
  Preparation(ServeOptions& options, std::optional<CompiledModules>& compiled, bool compiles)
      : options_(options), compiled_(compiled), compiles_(compiles) {}

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
      NamedArtefact named{modules[i].file.stem().string(), {}, modules[i].file};
      if (artefacts[i]) {
        named.path = *artefacts[i];
      } else {
        named.refused = artefacts[i].error();
      }
      options_.named.push_back(std::move(named));
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

 private:
  Result<std::vector<Result<Path>>> compile(const std::vector<ModuleToCompile>& given) {
    // An artefact is served as it is.
    std::vector<ModuleToCompile> modules;
    std::ranges::copy_if(given, std::back_inserter(modules),
                         [](const ModuleToCompile& module) { return is_module(module.file); });
    std::vector<Result<Path>> compiled;
    if (!modules.empty()) {
      if (!compiled_) compiled_.emplace(NUR_TRY(CompiledModules::open()));
      compiled = compiles_ ? compiled_->compile(modules) : compiled_->find(modules);
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
  std::optional<CompiledModules>& compiled_;
  const bool compiles_;
  std::set<std::string> names_;
};

}  // namespace

Result<Configuration> Preparer::read() const {
  return read_configuration(asked_.options.paths, asked_.options.defaults, asked_.given);
}

Result<ServeOptions> Preparer::prepared(Configuration read, bool compiles) {
  ServeOptions options = asked_.options;
  options.sources = sources_of(asked_.options.paths, read);
  options.paths.clear();
  options.functions = std::move(read.functions);
  options.nebula = std::move(read.nebula);
  if (read.listen_address && !asked_.given.listen) options.server.address = *read.listen_address;
  options.only_handle_routes = !read.applications.empty() && read.paths.empty();
  Preparation preparation(options, compiled_, compiles);
  NUR_TRY(preparation.add_applications(std::move(read.applications)));
  NUR_TRY(preparation.add_paths(read.paths));
  return options;
}

Result<ServeOptions> Preparer::prepare() { return prepared(NUR_TRY(read()), /*compiles=*/true); }

Result<ServeOptions> Preparer::prepare_again() {
  return prepared(NUR_TRY(read()), /*compiles=*/false);
}

// What is wrong is said by prepare_again().
bool Preparer::has_to_compile() {
  const Result<Configuration> configuration = read();
  if (!configuration) return false;
  const std::vector<ModuleToCompile> modules = modules_of(*configuration);
  if (modules.empty()) return false;
  if (!compiled_) {
    Result<CompiledModules> opened = CompiledModules::open();
    if (!opened) return false;
    compiled_.emplace(*std::move(opened));
  }
  return std::ranges::any_of(compiled_->find(modules),
                             [](const Result<Path>& artefact) { return !artefact; });
}

void Preparer::compile() {
  const Result<Configuration> configuration = read();
  if (!configuration) return;
  for (const Result<Path>& artefact : compiled_->compile(modules_of(*configuration))) {
    // What nurc has refused it has said itself.
    if (!artefact && artefact.error().kind != ErrorKind::invalid_input) {
      spdlog::error("{}", artefact.error().message);
    }
  }
}

}  // namespace nur
