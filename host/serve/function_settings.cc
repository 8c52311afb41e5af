#include "host/serve/function_settings.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace nur {

Result<void> open_directories(FunctionSettings& settings) {
  settings.preopens.clear();
  for (const DirectoryGrant& grant : settings.directories) {
    Preopen preopen = NUR_TRY(Preopen::open(grant.host_path, grant.guest_path, grant.writable));
    settings.preopens.push_back(std::move(preopen));
  }
  return {};
}

namespace {

void add_parts(std::vector<std::string>& arguments, std::string_view query) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    if (!part.empty()) arguments.emplace_back(part);
    query.remove_prefix(std::min(part.size() + 1, query.size()));
  }
}

}  // namespace

WasiOptions process_options(const std::string& name, const FunctionSettings& settings,
                            std::vector<std::string> request, std::string_view query) {
  WasiOptions options;
  options.arguments = {name};
  for (const std::string& argument : settings.arguments) {
    if (argument == "${ARGS}") {
      add_parts(options.arguments, query);
    } else {
      options.arguments.push_back(argument);
    }
  }
  options.environment = std::move(request);
  if (!settings.environment.empty()) {
    std::erase_if(options.environment, [&](const std::string& variable) {
      const std::string_view text = variable;
      return settings.environment.contains(text.substr(0, text.find('=')));
    });
    for (const auto& [key, value] : settings.environment) {
      options.environment.push_back(key + "=" + value);
    }
  }
  options.preopens = settings.preopens;
  return options;
}

}  // namespace nur
