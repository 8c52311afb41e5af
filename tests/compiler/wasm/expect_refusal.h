// What read_module says of a module it must refuse.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "compiler/wasm/wasm_module.h"

namespace nur::test {

inline Error refusal_of(const std::string& bytes, const ModuleLimits& limits = {}) {
  const Result<WasmModule> module = read_module(bytes, limits);
  if (!module) return module.error();
  ADD_FAILURE() << "the module was accepted";
  return {ErrorKind::internal, "accepted"};
}

inline void expect_refused(const std::string& bytes, ErrorKind kind, const std::string& message) {
  const Error error = refusal_of(bytes);
  EXPECT_EQ(error.kind, kind) << error.message;
  EXPECT_EQ(error.message, message);
}

inline void expect_malformed(const std::string& bytes, const std::string& message) {
  expect_refused(bytes, ErrorKind::invalid_input, message);
}

inline void expect_accepted(const std::string& bytes) {
  const Result<WasmModule> module = read_module(bytes);
  EXPECT_TRUE(module) << module.error().message;
}

}  // namespace nur::test
