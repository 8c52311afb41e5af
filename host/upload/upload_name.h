// Which file a path of an upload means: one name in one folder, or none.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace nur {

struct UploadName {
  std::string file;        // "hello.so"
  std::string function;    // "hello"
  bool is_module = false;  // .wasm, which nurhost compiles; otherwise an artefact, .so
};

// Of a request's path, not decoded: "/hello.so", "/a%20b.wasm". It is decoded once. Errors: what is
// wrong with it.
std::expected<UploadName, std::string> upload_name_of(std::string_view path);

}  // namespace nur
