#include "host/serve/nebula/routes.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "host/serve/router.h"

namespace nur {
namespace {

Response page_of(std::string html, int status = 200) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
  response.body = std::move(html);
  return response;
}

bool is_reading(std::string_view method) { return method == "GET" || method == "HEAD"; }

}  // namespace

NebulaRoutes::NebulaRoutes(const NebulaSettings& settings, NebulaHistory* history,
                           Dispatcher& dispatcher, const Registry& registry, EventLoop& loop,
                           const Clock& clock)
    : settings_(settings),
      history_(history),
      dispatcher_(dispatcher),
      registry_(registry),
      loop_(loop),
      clock_(clock) {
  if (history_ != nullptr) page_.emplace(*history_);
}

bool NebulaRoutes::is_free(std::string_view name) const {
  return settings_.first || registry_.find(name) == nullptr;
}

NebulaRoutes::Match NebulaRoutes::match(const Request& request) const {
  // Most requests are none of this one's, and cost two comparisons.
  const std::string_view path = request.path;
  if (path.starts_with("/fib/") && is_reading(request.method)) {
    const Function* const fib = registry_.find("fib");
    const bool is_ours =
        fib != nullptr && (settings_.first || fib->abi() == GuestAbi::typed) && path.size() > 5;
    if (is_ours) return {Page::timed_call, path.substr(5), false};
    return {};
  }
  if (!path.starts_with("/api/")) return {};
  const std::string_view rest = path.substr(5);
  const bool is_history = rest == "wasm" || rest == "docker" || rest == "wasm/all";
  if (is_history || rest == "wasm_headless") {
    const Page page = is_history ? Page::history : Page::headless;
    // Nothing else is posted below /api. Asked otherwise they are functions' names, if they are.
    if (request.method == "POST") return {page, {}, true};
    const std::string_view name = rest.substr(0, rest.find('/'));
    return registry_.find(name) == nullptr ? Match{page, {}, false} : Match{};
  }
  if (!is_reading(request.method)) return {};
  if (rest == "results" && page_ && is_free("results")) return {Page::results, {}, false};
  if (rest.starts_with("wasm/") && is_free("wasm")) {
    const std::string_view call = rest.substr(5);
    if (call.find('/') != std::string_view::npos && !call.starts_with('/')) {
      return {Page::call, call, false};
    }
  }
  return {};
}

bool NebulaRoutes::takes_early(const Request& request) {
  return match(request).page == Page::none && dispatcher_.takes_early(request);
}

std::optional<std::size_t> NebulaRoutes::body_bytes_max(const Request& request) {
  const Match found = match(request);
  if (found.takes_form) return kFormBytesMax;
  return found.page == Page::none ? dispatcher_.body_bytes_max(request) : std::nullopt;
}

void NebulaRoutes::handle(Exchange& exchange) {
  const Match found = match(exchange.request());
  switch (found.page) {
    case Page::none:
      return dispatcher_.handle(exchange);
    case Page::history:
    case Page::headless: {
      if (found.takes_form) return take_form(exchange, found.page);
      Response response = host_response(405, "use POST");
      response.headers.push_back({"Allow", "POST"});
      return exchange.respond(std::move(response));
    }
    case Page::results:
      return exchange.respond(page_of(page_->html()));
    case Page::call:
    case Page::timed_call:
      return call_at(exchange, found);
  }
}

void NebulaRoutes::take_form(Exchange& exchange, Page page) {
  if (exchange.request().body.size() > kFormBytesMax) {
    return exchange.respond(host_response(413, "the form is larger than 2MiB"));
  }
  std::expected<NebulaForm, Response> form = parse_nebula_form(exchange.request());
  if (!form) return exchange.respond(std::move(form.error()));
  if (form->runner == NebulaForm::Runner::docker) {
    return exchange.respond(host_response(
        501, "this host runs no containers; call the function with module_type=Wasm"));
  }
  std::string input = clamped(form->function_name, form->input);
  call(exchange, page, {std::move(form->function_name), std::move(input), form->calls});
}

void NebulaRoutes::call_at(Exchange& exchange, const Match& match) {
  const bool is_fib = match.page == Page::timed_call;
  const std::size_t slash = is_fib ? 0 : match.path.find('/');
  const std::optional<std::string> function =
      is_fib ? "fib" : percent_decoded(match.path.substr(0, slash));
  const std::optional<std::string> input =
      percent_decoded(is_fib ? match.path : match.path.substr(slash + 1));
  if (!function || !input) {
    return exchange.respond(page_of(failure_html("the path has a malformed escape"), 400));
  }
  call(exchange, match.page, {*function, *input, 1});
}

void NebulaRoutes::call(Exchange& exchange, Page page, NebulaOrder order) {
  auto job = std::make_unique<NebulaCall>(
      dispatcher_, loop_, clock_, exchange, std::move(order),
      [this, &exchange, page](const std::vector<NebulaResult>& results, const Response* failure) {
        finish(exchange, page, results, failure);
      });
  NebulaCall& begun = *job;
  calls_.emplace(&exchange, std::move(job));
  begun.start();
}

void NebulaRoutes::finish(Exchange& exchange, Page page, const std::vector<NebulaResult>& results,
                          const Response* failure) {
  // `failure` and this call belong to it.
  const auto job = calls_.extract(&exchange);
  if (page == Page::history && history_ != nullptr) {
    for (const NebulaResult& result : results) {
      if (const Result<void> kept = history_->add(result); !kept) {
        spdlog::warn("{}", kept.error().message);
        break;
      }
    }
  }
  if (failure != nullptr) {
    if (page == Page::headless) return exchange.respond(*failure);
    std::string_view what = failure->body;
    while (what.ends_with('\n')) what.remove_suffix(1);
    Response response = page_of(failure_html(what), failure->status);
    for (const Header& header : failure->headers) {
      if (!equal_ignoring_case(header.name, "Content-Type")) response.headers.push_back(header);
    }
    return exchange.respond(std::move(response));
  }
  if (page == Page::headless) {
    Response response;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
    response.body = headless_json(results);
    return exchange.respond(std::move(response));
  }
  if (page == Page::history) {
    if (page_) return exchange.respond(page_of(page_->html()));
    const std::vector<NebulaResult> newest_first(results.rbegin(), results.rend());
    return exchange.respond(page_of(history_html(newest_first)));
  }
  // A client that has gone may have none.
  if (results.empty()) return exchange.respond(host_response(503, "the client has left"));
  exchange.respond(page_of(page == Page::timed_call ? timed_call_html(results.front())
                                                    : call_html(results.front())));
}

std::string NebulaRoutes::clamped(const std::string& function, const std::string& input) const {
  const auto clamp = settings_.clamps.find(function);
  if (clamp == settings_.clamps.end()) return input;
  std::string_view digits = input;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) number = 0;
  return std::to_string(std::min(number, clamp->second));
}

}  // namespace nur
