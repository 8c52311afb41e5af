// A request and the place for its answer, without a network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "host/net/exchange.h"

namespace nur::test {

class FakeExchange final : public Exchange {
 public:
  explicit FakeExchange(std::string_view method, std::string_view target,
                        std::string_view body = "") {
    request_.method = method;
    request_.target = target;
    const std::size_t mark = target.find('?');
    request_.path = target.substr(0, mark);
    if (mark != std::string_view::npos) request_.query = target.substr(mark + 1);
    request_.headers = {{"Host", "example.test"}};
    request_.head = fmt::format("{} {} HTTP/1.1\r\nHost: example.test\r\n\r\n", method, target);
    request_.body = body;
  }

  [[nodiscard]] const Request& request() const override { return request_; }
  void respond(Response response) override {
    EXPECT_FALSE(answer);
    answer = std::move(response);
  }
  void respond_exactly(std::string bytes) override {
    EXPECT_FALSE(exact);
    exact = std::move(bytes);
  }
  bool respond_verbatim(std::string bytes) override {
    EXPECT_FALSE(answer);
    answer.emplace();
    answer->body = std::move(bytes);
    return true;
  }
  [[nodiscard]] bool client_gone() const override { return gone; }

  void watch(ExchangeWatcher* now) override { watcher = now; }
  std::optional<std::size_t> read_body(std::span<char> into) override {
    const std::size_t count = request_.body.copy(into.data(), into.size());
    request_.body.erase(0, count);
    if (count > 0 || body_ended) return count;
    return std::nullopt;
  }
  [[nodiscard]] bool body_has_ended() const override { return body_ended; }
  // The client sends more of the body.
  void deliver(std::string_view bytes, bool ends = false) {
    request_.body += bytes;
    body_ended = ends;
    if (watcher != nullptr) watcher->on_exchange();
  }

  Result<void> begin(Response head, std::optional<std::uint64_t> length) override {
    EXPECT_FALSE(begun);
    begun = std::move(head);
    promised = length;
    return {};
  }
  void write(std::string_view bytes) override { sent += bytes; }
  Result<void> write_verbatim(std::string_view bytes) override {
    if (!refuses_verbatim.empty()) return fail(ErrorKind::invalid_input, "{}", refuses_verbatim);
    sent += bytes;
    return {};
  }
  [[nodiscard]] std::size_t unsent_bytes() const override { return unsent; }
  [[nodiscard]] bool has_room() const override { return unsent <= held_max; }
  void hold_up_to(std::size_t bytes) override { held_max = bytes; }
  [[nodiscard]] std::uint64_t taken_bytes() const override { return taken; }
  Result<void> end() override {
    EXPECT_FALSE(ended || answer);
    ended = true;
    return {};
  }
  void abort() override { aborted = true; }
  [[nodiscard]] bool is_raw() const override { return raw; }

  Request request_;
  std::optional<Response> answer;
  std::optional<std::string> exact;
  bool gone = false;
  bool raw = false;
  bool body_ended = true;
  ExchangeWatcher* watcher = nullptr;
  // Of an answer in pieces.
  std::optional<Response> begun;
  std::optional<std::uint64_t> promised;
  std::string sent;
  std::string refuses_verbatim;
  std::size_t unsent = 0;
  std::size_t held_max = kUnsentBytesMax;
  std::uint64_t taken = 0;
  bool ended = false;
  bool aborted = false;
};

}  // namespace nur::test
