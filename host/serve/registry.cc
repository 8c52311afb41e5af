#include "host/serve/registry.h"

#include "base/check.h"

namespace nur {

void Registry::add(std::unique_ptr<Function> function) {
  const std::string name = function->name();
  NUR_CHECK(functions_.emplace(name, std::move(function)).second);
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
