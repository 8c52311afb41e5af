// From names to addresses, without holding up the event loop: c-ares, on the loop's descriptors.
//
//   find(policy, target) -> an address as it is | the hosts file | remembered | DNS
//                        -> what of it the policy permits
//
// Everything that is read from files is read when the resolver is opened (resolv.conf, hosts), so
// it works where no file can be opened any more; a change of them needs a new start. Who connects
// uses the addresses of the answer, and nothing resolves the name a second time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "host/net/event_loop.h"
#include "host/outbound/hosts_file.h"
#include "host/outbound/outbound_policy.h"
#include "host/outbound/target.h"

namespace nur {

struct ResolverOptions {
  // "192.0.2.53", "127.0.0.1:5353", several with commas; empty: those of /etc/resolv.conf.
  std::string servers;
  Path hosts_file = "/etc/hosts";
  Milliseconds timeout{5000};  // for a name, all attempts together
  // Of names that are being asked for at once; who asks for the same name shares a query. Queries
  // that have timed out count until c-ares has given them up, too.
  std::size_t queries_max = 256;
  // Of one name that are used.
  std::size_t addresses_max = 16;
  // Names that are remembered, for as long as their answer says, a minute at most.
  std::size_t remembered_max = 1024;
};

enum class LookupFailure : std::uint8_t {
  denied,     // no rule opens it, or none opens the addresses that it has
  unknown,    // there is no such name, or it has no address
  timed_out,  // no server answered in time
  busy,       // too many queries are under way
  failed,     // servers answered that they cannot say
};

class Resolver {
 public:
  using Answer = std::expected<std::vector<IpAddress>, LookupFailure>;

  // A question under way; destroying it takes the question back.
  class Lookup {
   public:
    ~Lookup();
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;
    // nullptr until there is one. Permitted addresses of IPv4 are first: more networks have it.
    [[nodiscard]] const Answer* answer() const { return answer_ ? &*answer_ : nullptr; }

   private:
    friend class Resolver;
    Lookup() = default;
    Resolver* resolver_ = nullptr;  // while it is among the askers of a query
    const OutboundPolicy* policy_ = nullptr;
    Target target_;
    std::function<void()> done_;
    std::optional<Answer> answer_;
  };

  // `loop` outlives the resolver. Errors: invalid_input when `servers` make no sense; internal.
  static Result<std::unique_ptr<Resolver>> open(EventLoop& loop, const ResolverOptions& options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Either the lookup has its answer when this returns, and `done` is never called; or `done` is
  // called once it has, unless the lookup is destroyed before. `policy` and the resolver outlive
  // the lookup.
  std::unique_ptr<Lookup> find(const OutboundPolicy& policy, Target target,
                               std::function<void()> done);

  // Names being asked for now.
  [[nodiscard]] std::size_t queries() const { return queries_.size(); }

 private:
  struct Channel;
  struct Query;
  struct Remembered {
    Answer answer;
    TimePoint until{};
  };

  Resolver(EventLoop& loop, const ResolverOptions& options, HostsFile hosts);

  // What is known without asking.
  std::optional<Answer> recall(const Target& target);
  void remember(const std::string& name, const Answer& answer, std::chrono::seconds ttl);
  // nullptr when there are too many.
  Query* query_for(const std::string& name);
  void on_answer(Query& query, Answer answer, std::chrono::seconds ttl);
  void settle(Query& query, const Answer& answer);
  static Answer permitted(const OutboundPolicy& policy, const Target& target, const Answer& found);
  void forget(Lookup& lookup);
  void set_timer();

  EventLoop& loop_;
  const ResolverOptions options_;
  const HostsFile hosts_;
  bool has_v6_ = false;
  std::map<std::string, Remembered, std::less<>> remembered_;
  std::vector<std::unique_ptr<Query>> queries_;
  std::unique_ptr<Channel> channel_;
  Timer timer_;
};

}  // namespace nur
