// A request and the place for its answer, without a network.
#pragma once

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
  bool respond_verbatim(std::string bytes) override {
    EXPECT_FALSE(answer);
    answer.emplace();
    answer->body = std::move(bytes);
    return true;
  }
  [[nodiscard]] bool client_gone() const override { return gone; }

  Request request_;
  std::optional<Response> answer;
  bool gone = false;
};

}  // namespace nur::test
