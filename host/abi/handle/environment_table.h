// The values that an operator gives a function, by key: what db_get and env_get read, and what a
// process finds in its environment.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace nur {

using EnvironmentTable = std::map<std::string, std::string, std::less<>>;

}  // namespace nur
