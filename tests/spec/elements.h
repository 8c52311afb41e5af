// The element section of a module that is written anew.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "compiler/wasm/module_writer.h"
#include "compiler/wasm/section_reader.h"

namespace nur::spec {

// Copies an expression up to and including `end`, changed as the writer of the module wants it.
using CopyExpression = std::function<Result<void>(SectionReader& from, SectionWriter& to)>;
// The index that a function gets.
using MapFunction = std::function<std::uint32_t(std::uint32_t)>;

// The payload of a section that `section` reads from its beginning. Errors: those of the reader and
// of `copy_expression`.
Result<std::string> copy_elements(SectionReader section, const CopyExpression& copy_expression,
                                  const MapFunction& map_function);

}  // namespace nur::spec
