#include "host/serve/function_settings.h"

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

WasiOptions process_options(const std::string& name, const FunctionSettings& settings,
                            std::vector<std::string> request) {
  WasiOptions options;
  options.arguments = {name};
  options.arguments.insert(options.arguments.end(), settings.arguments.begin(),
                           settings.arguments.end());
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
