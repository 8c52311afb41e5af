// The functions of one process, by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/serve/function.h"

namespace nur {

class Registry {
 public:
  Registry() = default;

  // Takes over `function`, whose name nobody has yet.
  void add(std::unique_ptr<Function> function);

  // nullptr when there is none of that name.
  [[nodiscard]] Function* find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return functions_.size(); }
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions_;
};

}  // namespace nur
