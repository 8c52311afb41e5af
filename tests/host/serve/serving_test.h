// Functions of a few lines behind a dispatcher, and the loop that they are served in.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "host/serve/dispatcher.h"
#include "tests/host/serve/load_registry.h"
#include "tests/support/guest.h"

namespace nur::test {

class ServingTest : public ::testing::Test {
 protected:
  // Before serve().
  void add(std::string_view name, std::string_view wat) {
    std::filesystem::copy_file(artefact_of(wat), folder_.path() / fmt::format("{}.so", name));
  }
  void serve(const FunctionLimits& limits) {
    registry_ = *load_registry({folder_.path()}, limits, [](const Path&, const Error& reason) {
      ADD_FAILURE() << reason.message;
    });
  }
  void turns(int count = 5) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(loop_->run_once(Milliseconds(1)));
  }

  ScratchDir folder_ = *ScratchDir::create("nur-serve-");
  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  Registry registry_;
  WorkerPage page_;
  std::unique_ptr<QuarantineTable> quarantine_ = std::make_unique<QuarantineTable>();
  // So long that a busy machine switches nobody out.
  static constexpr Nanoseconds kQuantum = Milliseconds(50);
  Dispatcher dispatcher_{TaskContext{*loop_, clock_, test::trap_guard(), page_, kQuantum},
                         registry_, *quarantine_};
};

}  // namespace nur::test
