#include "host/outbound/resolver.h"

#include <algorithm>
#include <ares.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unordered_map>

#include "base/fd.h"
#include "base/log.h"

namespace nur {
namespace {

// For the first attempt with one server; c-ares doubles it for the second.
constexpr Milliseconds kAttempt(1500);
constexpr int kAttempts = 2;

constexpr std::chrono::seconds kRememberedMost(60);
constexpr std::chrono::seconds kUnknownRemembered(1);

// Whether packets to the internet of IPv6 have a way out of this machine. Sends nothing.
bool has_route_v6() {
  const Fd probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketAddress far = socket_address(*parse_ip("2001:db8::1"), 53);
  return probe.is_open() &&
         ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&far.storage), far.bytes) == 0;
}

LookupFailure failure_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return LookupFailure::unknown;
    case ARES_ETIMEOUT:
      return LookupFailure::timed_out;
    default:
      return LookupFailure::failed;
  }
}

}  // namespace

// c-ares' side: which descriptors it waits for, and for how long.
struct Resolver::Channel {
  // One descriptor of c-ares. It may be taken away while it is being told of an event.
  class Socket final : public EventHandler {
   public:
    Socket(Channel& channel, int fd) : channel_(channel), fd_(fd) {}
    void on_events(std::uint32_t events) override {
      const bool readable = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
      const bool writable = (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0;
      channel_.process(readable ? fd_ : ARES_SOCKET_BAD, writable ? fd_ : ARES_SOCKET_BAD);
    }

   private:
    Channel& channel_;
    const int fd_;
  };

  explicit Channel(Resolver& owner) : resolver(owner) {}
  ~Channel() {
    closing = true;
    if (open) ::ares_destroy(ares);
  }

  void process(ares_socket_t readable, ares_socket_t writable) {
    ::ares_process_fd(ares, readable, writable);
    gone.clear();
    resolver.set_timer();
  }

  // c-ares calls this before it closes a descriptor, too.
  static void on_socket(void* opaque, ares_socket_t fd, int readable, int writable) {
    auto& channel = *static_cast<Channel*>(opaque);
    EventLoop& loop = channel.resolver.loop_;
    const auto found = channel.sockets.find(fd);
    const std::uint32_t events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U);
    if (events == 0) {
      if (found == channel.sockets.end()) return;
      loop.unwatch(fd, *found->second);
      channel.gone.push_back(std::move(found->second));
      channel.sockets.erase(found);
    } else if (found != channel.sockets.end()) {
      (void)loop.rewatch(fd, events, *found->second);
    } else {
      // One that cannot be watched is a query that times out.
      auto socket = std::make_unique<Socket>(channel, fd);
      if (loop.watch(fd, events, *socket)) channel.sockets.emplace(fd, std::move(socket));
    }
  }

  Resolver& resolver;
  ares_channel ares{};
  bool open = false;
  bool closing = false;
  std::unordered_map<int, std::unique_ptr<Socket>> sockets;  // c-ares has two per server at most
  std::vector<std::unique_ptr<Socket>> gone;                 // since c-ares was last called
};

struct Resolver::Query {
  Query(Resolver& owner, std::string asked)
      : resolver(owner), name(std::move(asked)), overdue(owner.loop_.timers(), [this] {
          timed_out = true;
          resolver.settle(*this, std::unexpected(LookupFailure::timed_out));
        }) {}

  static void on_addresses(void* opaque, int status, int /*timeouts*/, ares_addrinfo* found) {
    auto& query = *static_cast<Query*>(opaque);
    Answer answer = std::unexpected(failure_of(status));
    std::chrono::seconds ttl = kUnknownRemembered;
    if (status == ARES_SUCCESS && found != nullptr) {
      std::vector<IpAddress> addresses;
      ttl = kRememberedMost;
      for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
        SocketAddress address;
        if (node->ai_addrlen > sizeof address.storage) continue;
        std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
        const std::optional<IpAddress> ip = ip_of(address);
        if (!ip || std::ranges::find(addresses, *ip) != addresses.end()) continue;
        addresses.push_back(*ip);
        ttl = std::min(ttl, std::chrono::seconds(std::max(node->ai_ttl, 0)));
        if (addresses.size() == query.resolver.options_.addresses_max) break;
      }
      if (!addresses.empty()) {
        answer = std::move(addresses);
      } else {
        answer = std::unexpected(LookupFailure::unknown);
        ttl = kUnknownRemembered;
      }
    }
    if (found != nullptr) ::ares_freeaddrinfo(found);
    query.resolver.on_answer(query, std::move(answer), ttl);
  }

  Resolver& resolver;
  const std::string name;
  std::vector<Lookup*> askers;
  Timer overdue;
  bool starting = true;
  bool answered = false;
  bool timed_out = false;
};

Resolver::Lookup::~Lookup() {
  if (resolver_ != nullptr) resolver_->forget(*this);
}

Result<std::unique_ptr<Resolver>> Resolver::open(EventLoop& loop, const ResolverOptions& options) {
  static const int library = ::ares_library_init(ARES_LIB_INIT_ALL);
  std::unique_ptr<Resolver> resolver(
      new Resolver(loop, options, HostsFile::read(options.hosts_file)));

  ares_options wanted{};
  // No file but resolv.conf, and that now.
  wanted.flags = ARES_FLAG_NOALIASES | ARES_FLAG_NOSEARCH;
  wanted.timeout = static_cast<int>(std::min(kAttempt, options.timeout).count());
  wanted.tries = kAttempts;
  char lookups[] = "b";
  wanted.lookups = lookups;
  wanted.sock_state_cb = Channel::on_socket;
  wanted.sock_state_cb_data = resolver->channel_.get();
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
             ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
  // Newer ones remember answers themselves, for as long as those say. How long is for us to say.
  wanted.qcache_max_ttl = 0;
  mask |= ARES_OPT_QUERY_CACHE;
#endif
  int status = library;
  if (status == ARES_SUCCESS) {
    status = ::ares_init_options(&resolver->channel_->ares, &wanted, mask);
  }
  if (status != ARES_SUCCESS) {
    return fail(ErrorKind::internal, "reading the DNS configuration: {}", ::ares_strerror(status));
  }
  resolver->channel_->open = true;
  if (!options.servers.empty() &&
      ::ares_set_servers_ports_csv(resolver->channel_->ares, options.servers.c_str()) !=
          ARES_SUCCESS) {
    return fail(ErrorKind::invalid_input, "\"{}\" is no DNS server; write ADDRESS or ADDRESS:PORT",
                options.servers);
  }
  return resolver;
}

Resolver::Resolver(EventLoop& loop, const ResolverOptions& options, HostsFile hosts)
    : loop_(loop),
      options_(options),
      hosts_(std::move(hosts)),
      has_v6_(has_route_v6()),
      channel_(std::make_unique<Channel>(*this)),
      timer_(loop.timers(), [this] { channel_->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {}

Resolver::~Resolver() {
  for (const auto& query : queries_) {
    for (Lookup* const asker : query->askers) asker->resolver_ = nullptr;
    query->askers.clear();
  }
  // Answers every query, with nobody left to hear it.
  channel_.reset();
}

std::unique_ptr<Resolver::Lookup> Resolver::find(const OutboundPolicy& policy, Target target,
                                                 std::function<void()> done) {
  std::unique_ptr<Lookup> lookup(new Lookup);
  lookup->policy_ = &policy;
  lookup->target_ = std::move(target);
  if (const std::optional<Answer> known = recall(lookup->target_)) {
    lookup->answer_ = permitted(policy, lookup->target_, *known);
    return lookup;
  }
  if (!policy.may_ask(lookup->target_)) {
    lookup->answer_ = std::unexpected(LookupFailure::denied);
    return lookup;
  }
  Query* const query = query_for(lookup->target_.host);
  if (query == nullptr) {
    lookup->answer_ = std::unexpected(LookupFailure::busy);
    return lookup;
  }
  lookup->resolver_ = this;
  query->askers.push_back(lookup.get());
  if (!query->starting) {
    lookup->done_ = std::move(done);
    return lookup;
  }

  query->overdue.set(loop_.now() + options_.timeout);
  ares_addrinfo_hints hints{};
  // Sorting would try a connection to each address.
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = has_v6_ ? AF_UNSPEC : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  // With its final dot it is the whole name, to which no search domain is added: a rule opens this
  // name and no other.
  ::ares_getaddrinfo(channel_->ares, (query->name + ".").c_str(), nullptr, &hints,
                     Query::on_addresses, query);
  query->starting = false;
  // What c-ares knows without asking it has answered by now, with nobody to be told.
  if (query->answered) {
    std::erase_if(queries_, [query](const auto& other) { return other.get() == query; });
  } else {
    lookup->done_ = std::move(done);
  }
  set_timer();
  return lookup;
}

std::optional<Resolver::Answer> Resolver::recall(const Target& target) {
  if (target.literal) return std::vector{*target.literal};
  if (std::vector<IpAddress> here = hosts_.find(target.host); !here.empty()) return here;
  const auto found = remembered_.find(target.host);
  if (found == remembered_.end()) return std::nullopt;
  if (found->second.until > loop_.now()) return found->second.answer;
  remembered_.erase(found);
  return std::nullopt;
}

void Resolver::remember(const std::string& name, const Answer& answer, std::chrono::seconds ttl) {
  const bool lasting = answer || answer.error() == LookupFailure::unknown;
  if (!lasting || ttl <= std::chrono::seconds(0) || options_.remembered_max == 0) return;
  if (remembered_.size() >= options_.remembered_max) {
    const TimePoint now = loop_.now();
    std::erase_if(remembered_, [now](const auto& entry) { return entry.second.until <= now; });
    if (remembered_.size() >= options_.remembered_max) remembered_.erase(remembered_.begin());
  }
  remembered_.insert_or_assign(name, Remembered{answer, loop_.now() + ttl});
}

Resolver::Query* Resolver::query_for(const std::string& name) {
  for (const auto& query : queries_) {
    if (!query->timed_out && query->name == name) return query.get();
  }
  if (queries_.size() >= options_.queries_max) return nullptr;
  queries_.push_back(std::make_unique<Query>(*this, name));
  return queries_.back().get();
}

void Resolver::on_answer(Query& query, Answer answer, std::chrono::seconds ttl) {
  query.answered = true;
  query.overdue.clear();
  if (channel_ == nullptr || channel_->closing) return;
  remember(query.name, answer, ttl);
  settle(query, answer);
  if (query.starting) return;
  std::erase_if(queries_, [&query](const auto& other) { return other.get() == &query; });
}

void Resolver::settle(Query& query, const Answer& answer) {
  // An asker that is told may ask again, or take back what another one has asked.
  while (!query.askers.empty()) {
    Lookup& asker = *query.askers.back();
    query.askers.pop_back();
    asker.resolver_ = nullptr;
    asker.answer_ = permitted(*asker.policy_, asker.target_, answer);
    if (asker.done_) std::exchange(asker.done_, nullptr)();
  }
}

Resolver::Answer Resolver::permitted(const OutboundPolicy& policy, const Target& target,
                                     const Answer& found) {
  if (!found) return found;
  std::vector<IpAddress> addresses;
  std::ranges::copy_if(*found, std::back_inserter(addresses),
                       [&](const IpAddress& address) { return policy.permits(target, address); });
  if (addresses.empty()) return std::unexpected(LookupFailure::denied);
  std::ranges::stable_partition(addresses, &IpAddress::is_v4);
  return addresses;
}

void Resolver::forget(Lookup& lookup) {
  for (const auto& query : queries_) {
    if (std::erase(query->askers, &lookup) > 0) return;
  }
}

void Resolver::set_timer() {
  timeval left{};
  if (queries_.empty() || ::ares_timeout(channel_->ares, nullptr, &left) == nullptr) {
    timer_.clear();
    return;
  }
  // c-ares reads another clock, of which a part of a millisecond may be missing here: being early
  // would turn the loop for nothing.
  timer_.set(loop_.now() + std::chrono::seconds(left.tv_sec) +
             std::chrono::microseconds(left.tv_usec) + Milliseconds(1));
}

}  // namespace nur
