// The history as a page. Each call becomes HTML once, when a page is asked for behind it: what a
// page costs is what has come since the last one, and putting the pieces together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "host/serve/nebula/history.h"
#include "host/serve/nebula/result.h"

namespace nur {

class NebulaHistoryPage {
 public:
  // `history` outlives the page.
  explicit NebulaHistoryPage(const NebulaHistory& history) : history_(history) {}

  // Of all calls that are in the history, the newest first.
  std::string html();

 private:
  struct Call {
    std::string html;
    std::string type;
    NebulaTimes times;
  };
  void take(std::uint64_t number);
  void drop(std::map<std::uint64_t, Call, std::greater<>>::iterator call);

  const NebulaHistory& history_;
  std::map<std::uint64_t, Call, std::greater<>> calls_;  // by number; NebulaHistory::kSlots
  std::map<std::string, NebulaTimes> times_;             // of all calls of a type
  std::uint64_t settled_ = 0;                            // up to here nobody is writing any more
};

}  // namespace nur
