// The HTTP responses that one guest has open, by number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/outbound/http_client.h"

namespace nur {

class HandleFetches {
 public:
  // Of one request to the function.
  static constexpr std::size_t kMax = 16;

  // The one that http_open waits for.
  std::unique_ptr<HttpFetch> opening;

  [[nodiscard]] bool is_full() const {
    return std::ranges::count_if(open_, [](const auto& fetch) { return fetch != nullptr; }) >=
           static_cast<std::ptrdiff_t>(kMax);
  }
  // The number of what was opening, which is open from here on.
  std::int32_t keep_opened() {
    auto place = std::find(open_.begin(), open_.end(), nullptr);
    if (place == open_.end()) place = open_.insert(place, nullptr);
    *place = std::move(opening);
    return static_cast<std::int32_t>(place - open_.begin());
  }
  [[nodiscard]] HttpFetch* find(std::int32_t number) const {
    const auto place = static_cast<std::size_t>(number);
    return number < 0 || place >= open_.size() ? nullptr : open_[place].get();
  }
  bool close(std::int32_t number) {
    if (find(number) == nullptr) return false;
    open_[static_cast<std::size_t>(number)].reset();
    return true;
  }

 private:
  std::vector<std::unique_ptr<HttpFetch>> open_;
};

}  // namespace nur
