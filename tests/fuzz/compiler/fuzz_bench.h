// Node and a scratch folder for tests of the fuzzer; they are skipped where there is no node.
#pragma once

#include <gtest/gtest.h>

#include "compiler/compile.h"
#include "compiler/toolchain.h"
#include "tests/fuzz/compiler/trial.h"

namespace nur::fuzz {

class FuzzTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!on_search_path("node")) GTEST_SKIP() << "no node on PATH";
  }

  // A binary module from text.
  std::string assemble(std::string_view wat) {
    const Path file = folder_.path() / "test.wat";
    EXPECT_TRUE(write_file(file, wat));
    const Result<std::string> bytes = read_wasm(file, toolchain_, interrupt_);
    if (!bytes) ADD_FAILURE() << bytes.error().message;
    return bytes.value_or("");
  }

  Verdict try_bytes(std::string_view bytes) {
    const Result<Verdict> verdict =
        try_module(bytes, recipe_, {toolchain_, interrupt_, v8_, folder_.path()});
    if (!verdict) ADD_FAILURE() << verdict.error().message;
    return verdict.value_or(Verdict{});
  }

  Interrupt interrupt_ = *Interrupt::listen();
  Toolchain toolchain_ = *find_toolchain({}, interrupt_);
  ScratchDir folder_ = *ScratchDir::create("nur-fuzz-test-");
  V8Process v8_{{on_search_path("node").value_or("node"), Path(NUR_FUZZ_SOURCES) / "v8_side.mjs",
                 Milliseconds(5000)}};
  Recipe recipe_;
};

}  // namespace nur::fuzz
