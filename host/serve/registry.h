// The functions of one process, by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "host/serve/function.h"

namespace nur {

class Registry {
 public:
  Registry() = default;

  // Told of each file that is not served, with the reason.
  using OnRefused = std::function<void(const Path& file, const Error& reason)>;

  // Loads files, and of folders every *.so in them, named after their stems. What is refused does
  // not keep the others from being served. Errors: not_found for a path that is not there.
  static Result<Registry> load(const std::vector<Path>& paths, const FunctionLimits& limits,
                               const OnRefused& on_refused);

  // nullptr when there is none of that name.
  [[nodiscard]] Function* find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return functions_.size(); }
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  void add(const Path& file, const FunctionLimits& limits, const OnRefused& on_refused);

  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions_;
};

}  // namespace nur
