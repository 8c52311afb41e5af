#include "host/run/run_outside.h"

#include <algorithm>
#include <csignal>
#include <sys/socket.h>
#include <thread>

#include "base/file.h"

namespace nur {
namespace {

constexpr std::size_t kSocketsMax = 1000;
// Between two looks at the time, at most.
constexpr Milliseconds kLook(1000);

}  // namespace

Result<std::unique_ptr<RunOutside>> RunOutside::open(const Function& function, const Clock& clock) {
  std::unique_ptr<RunOutside> outside(
      new RunOutside(function, clock, NUR_TRY(EventLoop::open(clock))));
  NUR_TRY(outside->open_store());
  NUR_TRY(outside->open_network());
  return outside;
}

Result<void> RunOutside::open_store() {
  const auto stores = [](const ManifestImport& import) {
    return import.module == "env" && import.name.starts_with("kv_");
  };
  if (std::ranges::none_of(function_.module().manifest().imports, stores)) return {};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("connecting the key-value store"));
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const KvLimits limits = shared_out({}, {{function_.name(), std::nullopt}}, true);
  database_ = NUR_TRY(in_context(KvDatabase::open(std::nullopt, limits), "key-value store"));
  store_.emplace(*loop_, *database_, clock_);
  NUR_TRY(store_->add(std::move(theirs)));
  outside_.kv = std::make_unique<KvClient>(*loop_);
  return outside_.kv->connect(std::move(ours));
}

Result<void> RunOutside::open_network() {
  if (function_.outbound().is_empty()) return {};
  // What is written to a peer that has gone says so by itself.
  ::signal(SIGPIPE, SIG_IGN);
  outside_.sockets.max = kSocketsMax;
  outside_.resolver =
      NUR_TRY(in_context(Resolver::open(*loop_, {}), "finding names for the function"));
  if (!function_.module().manifest().imports_function("env", "http_open")) return {};
  outside_.http = NUR_TRY(HttpClient::open(*loop_, *outside_.resolver, {}));
  NUR_TRY(outside_.http->pool(function_.name()));
  return {};
}

HandleServices RunOutside::services() {
  return {.guest = this,
          .kv = outside_.kv.get(),
          .space = function_.name(),
          .http = outside_.http.get(),
          .http_pool = outside_.http ? outside_.http->find_pool(function_.name()) : nullptr,
          .policy = &function_.outbound()};
}

std::optional<HandleNetwork> RunOutside::network() {
  if (outside_.resolver == nullptr) return std::nullopt;
  return HandleNetwork{.loop = *loop_,
                       .resolver = *outside_.resolver,
                       .budget = outside_.sockets,
                       .policy = function_.outbound(),
                       .guest = *this,
                       .sockets_max = function_.limits().sockets_max};
}

void RunOutside::wait(TimePoint until) {
  for (TimePoint now = clock_.now(); !is_woken_ && now < until; now = clock_.now()) {
    const auto left = std::chrono::ceil<Milliseconds>(std::min<Nanoseconds>(until - now, kLook));
    if (!loop_->run_once(left)) std::this_thread::sleep_for(Milliseconds(1));
  }
  is_woken_ = false;
}

}  // namespace nur
