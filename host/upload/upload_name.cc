#include "host/upload/upload_name.h"

#include <climits>
#include <optional>

#include "base/log.h"
#include "host/serve/router.h"

namespace nur {

std::expected<UploadName, std::string> upload_name_of(std::string_view path) {
  const auto refuse = [](const char* why) { return std::unexpected(std::string(why)); };
  if (!path.starts_with('/') || path.find('/', 1) != std::string_view::npos) {
    return refuse("a function is uploaded to /NAME.so or /NAME.wasm, without folders");
  }
  const std::optional<std::string> name = percent_decoded(path.substr(1));
  if (!name) return refuse("the name has a malformed escape, or one of a NUL");
  if (name->find('/') != std::string::npos) return refuse("the name holds a slash");
  if (name->starts_with('.')) return refuse("the name begins with a dot");
  if (name->size() > NAME_MAX) return refuse("the name is longer than 255 bytes");
  // It says otherwise what it would not print as it is.
  if (printable(*name) != *name) {
    return refuse("the name holds a control character, or is not UTF-8");
  }
  UploadName found;
  found.file = *name;
  found.is_module = name->ends_with(".wasm");
  if (!found.is_module && !name->ends_with(".so")) {
    return refuse("the name ends neither in .so (an artefact that nurc has made) nor in .wasm");
  }
  found.function = name->substr(0, name->rfind('.'));
  return found;
}

}  // namespace nur
