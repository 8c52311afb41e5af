#include "host/config/configuration.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/log.h"

namespace nur {
namespace {

// Names that functions of a folder's files have.
std::set<std::string> names_in(const Path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const Path extension = entry->path().extension();
    if (extension == ".so" || extension == ".wasm") names.insert(entry->path().stem().string());
  }
  return names;
}

Path folder_of(const Path& file) { return file.has_parent_path() ? file.parent_path() : Path("."); }

class Collector {
 public:
  Collector(const FunctionSettings& defaults, const GivenSettings& given)
      : defaults_(defaults), given_(given) {}

  Result<void> add(const Path& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      add_path(path);
      return read_if_there(path / kNurToml);
    }
    if (path.extension() == ".toml") {
      const TomlFile file = NUR_TRY(TomlFile::read(path));
      if (is_serverless_toml(file)) return take_applications(file);
      add_path(folder_of(path));
      return read(path);
    }
    add_path(path);
    return read_if_there(folder_of(path) / kNurToml);
  }

  Configuration take() { return std::move(result_); }

 private:
  void add_path(const Path& path) {
    if (std::ranges::find(result_.paths, path) == result_.paths.end()) {
      result_.paths.push_back(path);
    }
  }

  Result<void> read_if_there(const Path& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return {};
    return read(file);
  }

  Result<void> read(const Path& path) {
    // Of one that is not there, or cannot be told, the reader says so.
    std::error_code error;
    const Path canonical = std::filesystem::weakly_canonical(path, error);
    if (!error && !read_.insert(canonical).second) return {};
    const TomlFile file = NUR_TRY(TomlFile::read(path));
    NurToml said = NUR_TRY(read_nur_toml(file, defaults_, given_));
    const std::set<std::string> names = names_in(folder_of(path));
    for (NurToml::Section& section : said.functions) NUR_TRY(take_section(file, section, names));
    if (!said.nebula) return {};
    if (has_nebula_) {
      return fail(ErrorKind::invalid_input, "{}: another file has a [nebula] already",
                  path.string());
    }
    has_nebula_ = true;
    result_.nebula = *std::move(said.nebula);
    return {};
  }

  Result<void> take_applications(const TomlFile& file) {
    ServerlessToml said = NUR_TRY(read_serverless_toml(file));
    if (said.listen_address && result_.listen_address) {
      return fail(ErrorKind::invalid_input, "{}: another file has a listen_address already",
                  file.path().string());
    }
    if (said.listen_address) result_.listen_address = std::move(said.listen_address);
    std::ranges::move(said.applications, std::back_inserter(result_.applications));
    return {};
  }

  Result<void> take_section(const TomlFile& file, NurToml::Section& section,
                            const std::set<std::string>& names) {
    const std::string shown = printable(section.function, 200);
    if (!names.contains(section.function)) {
      const std::vector<std::string_view> known(names.begin(), names.end());
      const auto meant = did_you_mean(section.function, known);
      return std::unexpected(file.error_at(
          section.place, fmt::format("there is no {}.so beside this file; {}", shown,
                                     meant ? fmt::format("did you mean `{}`?", *meant)
                                           : "put it there, or take the section out")));
    }
    if (!result_.functions.emplace(section.function, std::move(section.settings)).second) {
      return std::unexpected(file.error_at(
          section.place, fmt::format("another file has a section for `{}` already", shown)));
    }
    return {};
  }

  const FunctionSettings& defaults_;
  const GivenSettings& given_;
  Configuration result_;
  std::set<Path> read_;
  bool has_nebula_ = false;
};

}  // namespace

Result<Configuration> read_configuration(const std::vector<Path>& paths,
                                         const FunctionSettings& defaults,
                                         const GivenSettings& given) {
  Collector collector(defaults, given);
  for (const Path& path : paths) NUR_TRY(collector.add(path));
  return collector.take();
}

}  // namespace nur
