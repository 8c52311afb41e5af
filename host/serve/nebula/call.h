// One request of Nebula's: so many calls of a function, one after the other, then one answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/net/timer.h"
#include "host/serve/dispatcher.h"
#include "host/serve/nebula/result.h"

namespace nur {

struct NebulaOrder {
  std::string function;
  std::string input;
  unsigned calls = 1;
};

// Each call is an exchange of its own with the dispatcher, as if a client had asked for
// /api/FUNCTION/INPUT, so whatever holds for requests holds for it.
// Most bytes of the results of one order; its answer is made of all of them.
inline constexpr std::size_t kNebulaResultBytesMax = std::size_t{16} << 20;

class NebulaCall final : private Exchange {
 public:
  // Called once, in a turn of the loop of its own, with the results of the calls and the answer to
  // the one that failed, if one did: behind it there is none.
  using Done = std::function<void(std::vector<NebulaResult> results, const Response* failure)>;

  // `outer` is whose answer waits for this.
  NebulaCall(Dispatcher& dispatcher, EventLoop& loop, const Clock& clock, const Exchange& outer,
             NebulaOrder order, Done done);

  // Begins; to be called once.
  void start() { advance(); }

 private:
  void advance();

  [[nodiscard]] const Request& request() const override { return request_; }
  void respond(Response response) override;
  bool respond_verbatim(std::string bytes) override;
  [[nodiscard]] bool client_gone() const override { return outer_.client_gone(); }
  void watch(ExchangeWatcher*) override {}
  std::optional<std::size_t> read_body(std::span<char>) override { return 0; }
  [[nodiscard]] bool body_has_ended() const override { return true; }
  Result<void> begin(Response head, std::optional<std::uint64_t> length) override;
  void write(std::string_view bytes) override;
  Result<void> write_verbatim(std::string_view bytes) override;
  [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }
  Result<void> end() override;
  void abort() override;

  Dispatcher& dispatcher_;
  EventLoop& loop_;
  const Clock& clock_;
  const Exchange& outer_;
  const NebulaOrder order_;
  const Done done_;
  std::string target_;
  Request request_;

  std::vector<NebulaResult> results_;
  std::size_t result_bytes_ = 0;
  TimePoint began_{};
  TimePoint started_{};
  TimePoint ended_{};
  std::uint64_t began_since_epoch_ = 0;
  bool is_answered_ = false;
  Response answer_;
  Timer next_;
};

}  // namespace nur
