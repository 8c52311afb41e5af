// The routes that Nebula has, in front of the functions.
//
//   POST /api/wasm, /api/docker, /api/wasm/all   calls; answers the history as HTML, or where none
//                                                is kept these calls alone
//   POST /api/wasm_headless                      calls; answers JSON, and keeps nothing
//   GET  /api/results                            the history, where one is kept
//   GET  /api/wasm/MODULE/INPUT                  one call; a page of HTML
//   GET  /fib/INPUT                              one call of fib; a page with times
//
// A function that is called wasm, results or fib keeps the paths that are its own: the last three
// routes step back, unless settings say that they come first. A typed function fib has nothing at
// /fib.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "host/net/exchange.h"
#include "host/serve/dispatcher.h"
#include "host/serve/nebula/call.h"
#include "host/serve/nebula/form.h"
#include "host/serve/nebula/history.h"
#include "host/serve/nebula/history_page.h"
#include "host/serve/nebula/settings.h"

namespace nur {

class NebulaRoutes final : public RequestHandler {
 public:
  // `dispatcher` answers everything else. All outlive this; no exchange may be answered behind its
  // end.
  // `history`: nullptr keeps none.
  NebulaRoutes(const NebulaSettings& settings, NebulaHistory* history, Dispatcher& dispatcher,
               const Registry& registry, EventLoop& loop, const Clock& clock);

  void handle(Exchange& exchange) override;
  [[nodiscard]] bool takes_early(const Request& request) override;
  [[nodiscard]] std::optional<std::size_t> body_bytes_max(const Request& request) override;

  // Largest form; Nebula's front takes as much.
  static constexpr std::size_t kFormBytesMax = std::size_t{2} << 20;

 private:
  enum class Page : std::uint8_t { none, history, headless, results, call, timed_call };
  struct Match {
    Page page = Page::none;
    std::string_view path;  // behind what chose the page
    bool takes_form = false;
  };

  [[nodiscard]] Match match(const Request& request) const;
  [[nodiscard]] bool is_free(std::string_view name) const;
  void take_form(Exchange& exchange, Page page);
  void call(Exchange& exchange, Page page, NebulaOrder order);
  void call_at(Exchange& exchange, const Match& match);
  void finish(Exchange& exchange, Page page, const std::vector<NebulaResult>& results,
              const Response* failure);
  [[nodiscard]] std::string clamped(const std::string& function, const std::string& input) const;

  const NebulaSettings& settings_;
  NebulaHistory* const history_;
  std::optional<NebulaHistoryPage> page_;  // of history_
  Dispatcher& dispatcher_;
  const Registry& registry_;
  EventLoop& loop_;
  const Clock& clock_;
  std::unordered_map<const Exchange*, std::unique_ptr<NebulaCall>> calls_;  // under way
};

}  // namespace nur
