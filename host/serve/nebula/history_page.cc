#include "host/serve/nebula/history_page.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace nur {
namespace {

// Calls whose number another worker has taken and may not have written yet: one of each worker.
constexpr std::uint64_t kBeingWritten = 256;

}  // namespace

void NebulaHistoryPage::take(std::uint64_t number) {
  const std::optional<NebulaResult> result = history_.read(number);
  if (!result) return;
  const NebulaTimes times{
      .calls = 1, .startup_us = result->startup_us, .total_us = result->total_us};
  times_[result->func_type] += times;
  calls_.emplace(number, Call{history_item_html(*result), result->func_type, times});
}

void NebulaHistoryPage::drop(std::map<std::uint64_t, Call, std::greater<>>::iterator call) {
  NebulaTimes& times = times_[call->second.type];
  times -= call->second.times;
  if (times.calls == 0) times_.erase(call->second.type);
  calls_.erase(call);
}

std::string NebulaHistoryPage::html() {
  const std::uint64_t last = history_.last();
  const std::uint64_t first = last > NebulaHistory::kSlots ? last - NebulaHistory::kSlots + 1 : 1;
  while (!calls_.empty() && calls_.rbegin()->first < first) drop(std::prev(calls_.end()));
  for (std::uint64_t number = std::max(first, settled_ + 1); number <= last; ++number) {
    if (!calls_.contains(number)) take(number);
  }
  if (last > kBeingWritten) settled_ = last - kBeingWritten;

  std::string html = history_head_html(times_["Wasm"], times_["Docker"]);
  std::size_t bytes = html.size() + kHistoryTail.size();
  for (const auto& [number, call] : calls_) bytes += call.html.size();
  html.reserve(bytes);
  for (const auto& [number, call] : calls_) html += call.html;
  return html += kHistoryTail;
}

}  // namespace nur
