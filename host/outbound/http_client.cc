#include "host/outbound/http_client.h"

#include <algorithm>
#include <charconv>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unordered_map>
#include <utility>

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/log.h"
#include "host/net/http_head.h"

namespace nur {
namespace {

using Limits = HttpClientLimits;

constexpr const char* kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";
constexpr long kReceiveBytes = 16 << 10;

// What says where a message ends or who it is for is libcurl's to say.
constexpr std::string_view kOwnHeaders[] = {
    "host", "connection", "content-length", "expect",           "transfer-encoding",  "upgrade",
    "te",   "trailer",    "keep-alive",     "proxy-connection", "proxy-authorization"};

std::optional<FetchFailure> parse_headers(std::string_view lines, std::vector<Header>& headers) {
  if (lines.size() > Limits::kHeaderBytesMax) return FetchFailure::limit;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == lines.npos ? lines.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return FetchFailure::argument;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim_blanks(line.substr(colon + 1));
    const auto is_name = [name](std::string_view own) { return equal_ignoring_case(own, name); };
    if (!is_token(name) || !is_field_value(value) || std::ranges::any_of(kOwnHeaders, is_name)) {
      return FetchFailure::argument;
    }
    if (headers.size() == Limits::kHeadersMax) return FetchFailure::limit;
    headers.push_back({std::string(name), std::string(value)});
  }
  return std::nullopt;
}

FetchFailure failure_of(LookupFailure failure) {
  switch (failure) {
    case LookupFailure::denied:
      return FetchFailure::denied;
    case LookupFailure::timed_out:
      return FetchFailure::timed_out;
    case LookupFailure::busy:
      return FetchFailure::limit;
    case LookupFailure::unknown:
    case LookupFailure::failed:
      break;
  }
  return FetchFailure::failed;
}

struct CurlFree {
  void operator()(CURL* easy) const { ::curl_easy_cleanup(easy); }
  void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
  void operator()(char* text) const { ::curl_free(text); }
};
template <class T>
using CurlPtr = std::unique_ptr<T, CurlFree>;

// CURLU_GET_EMPTY of libcurl 8.8; older ones do so without.
constexpr unsigned kEvenIfEmpty = 1U << 14;

std::optional<std::string> part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (::curl_url_get(url, part, &text, flags) != CURLUE_OK) return std::nullopt;
  const CurlPtr<char> owned(text);
  return std::string(text);
}

void add_line(CurlPtr<curl_slist>& list, const std::string& line) {
  if (curl_slist* const longer = ::curl_slist_append(list.get(), line.c_str())) {
    (void)list.release();
    list.reset(longer);
  }
}

}  // namespace

struct HttpClient::Certificates {
  ~Certificates() { ::X509_STORE_free(store); }
  X509_STORE* store = ::X509_STORE_new();
};

// One of libcurl's multi handles, driven by the loop.
class HttpClient::Pool {
 public:
  Pool(EventLoop& loop, std::string its_name, CURLM* multi)
      : name(std::move(its_name)),
        loop_(loop),
        multi_(multi),
        timer_(loop.timers(), [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
    ::curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
    ::curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    ::curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
    ::curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    ::curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                        static_cast<long>(Limits::kConnectionsMax));
    ::curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                        static_cast<long>(Limits::kIdleConnectionsMax));
  }
  ~Pool() { ::curl_multi_cleanup(multi_); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] CURLM* multi() const { return multi_; }
  void act(curl_socket_t fd, int events);

  const std::string name;

 private:
  // One descriptor of libcurl's. It may be taken away while it is told of an event.
  class Socket final : public EventHandler {
   public:
    Socket(Pool& pool, int fd) : pool_(pool), fd_(fd) {}
    void on_events(std::uint32_t events) override {
      int action = 0;
      if ((events & EPOLLIN) != 0) action |= CURL_CSELECT_IN;
      if ((events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) action |= CURL_CSELECT_ERR;
      pool_.act(fd_, action);
    }

   private:
    Pool& pool_;
    const int fd_;
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* opaque, void*) {
    auto& pool = *static_cast<Pool*>(opaque);
    const auto found = pool.sockets_.find(fd);
    if (what == CURL_POLL_REMOVE) {
      if (found == pool.sockets_.end()) return 0;
      pool.loop_.unwatch(fd, *found->second);
      pool.gone_.push_back(std::move(found->second));
      pool.sockets_.erase(found);
      return 0;
    }
    std::uint32_t events = 0;
    if ((what & CURL_POLL_IN) != 0) events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) events |= EPOLLOUT;
    if (found != pool.sockets_.end()) {
      return pool.loop_.rewatch(fd, events, *found->second) ? 0 : -1;
    }
    auto socket = std::make_unique<Socket>(pool, fd);
    if (!pool.loop_.watch(fd, events, *socket)) return -1;
    pool.sockets_.emplace(fd, std::move(socket));
    return 0;
  }
  static int on_timer(CURLM*, long milliseconds, void* opaque) {
    auto& pool = *static_cast<Pool*>(opaque);
    if (milliseconds < 0) {
      pool.timer_.clear();
    } else {
      pool.timer_.set(pool.loop_.now() + Milliseconds(milliseconds));
    }
    return 0;
  }

  EventLoop& loop_;
  CURLM* multi_;
  std::unordered_map<int, std::unique_ptr<Socket>> sockets_;  // kConnectionsMax
  std::vector<std::unique_ptr<Socket>> gone_;                 // since libcurl was last called
  Timer timer_;
};

class HttpClient::Fetch final : public HttpFetch {
 public:
  Fetch(HttpClient& client, Pool& pool, const OutboundPolicy& policy, const FetchRequest& request,
        std::function<void()> changed)
      : client_(client),
        pool_(pool),
        changed_(std::move(changed)),
        timeout_(request.timeout > Milliseconds(0) ? request.timeout : Limits::kTimeoutDefault),
        overdue_(client.loop_.timers(), [this] { on_overdue(); }) {
    ++client_.fetches_;
    failure_ = prepare(request);
    if (failure_) return;
    overdue_.set(client_.loop_.now() + timeout_);
    lookup_ = client_.resolver_.find(policy, target_, [this] { on_lookup(); });
    if (lookup_->answer() != nullptr) on_lookup();
  }

  ~Fetch() override {
    --client_.fetches_;
    if (is_added_) ::curl_multi_remove_handle(pool_.multi(), easy_.get());
  }

  [[nodiscard]] std::optional<FetchFailure> failure() const override { return failure_; }
  [[nodiscard]] bool has_head() const override { return has_head_; }
  [[nodiscard]] int status() const override { return status_; }
  [[nodiscard]] const std::vector<Header>& headers() const override { return headers_; }

  std::optional<std::int64_t> read(std::span<char> into) override {
    const std::size_t bytes = std::min(into.size(), body_.size() - body_at_);
    if (bytes > 0) {
      body_.copy(into.data(), bytes, body_at_);
      body_at_ += bytes;
      if (body_at_ == body_.size()) {
        body_.clear();
        body_at_ = 0;
        if (is_paused_) go_on();
      }
      return static_cast<std::int64_t>(bytes);
    }
    if (into.empty()) return 0;
    if (failure_) return -1;
    if (is_done_) return 0;
    // Asking again is no reason to wait for longer.
    if (!overdue_.deadline()) overdue_.set(client_.loop_.now() + timeout_);
    return std::nullopt;
  }

  // Told by the pool: the transfer has ended.
  void on_done(CURLcode result) {
    is_done_ = true;
    overdue_.clear();
    ::curl_multi_remove_handle(pool_.multi(), easy_.get());
    is_added_ = false;
    if (result != CURLE_OK && !failure_) {
      failure_ =
          result == CURLE_OPERATION_TIMEDOUT ? FetchFailure::timed_out : FetchFailure::failed;
      spdlog::debug("function {}: {}: {}", printable(pool_.name, 64), target_.host,
                    ::curl_easy_strerror(result));
    } else if (!has_head_ && !failure_) {
      failure_ = FetchFailure::failed;
    }
    changed_();
  }

 private:
  std::optional<FetchFailure> prepare(const FetchRequest& request) {
    if (client_.fetches_ > Limits::kFetchesMax || request.url.size() > Limits::kUrlBytesMax ||
        request.body.size() > Limits::kBodyBytesMax) {
      return FetchFailure::limit;
    }
    if (!is_token(request.method) || request.method.size() > 32 ||
        equal_ignoring_case(request.method, "connect")) {
      return FetchFailure::argument;
    }
    method_ = request.method;
    body_sent_ = request.body;
    if (const auto wrong = parse_headers(request.headers, sent_)) return wrong;

    // The same parser that libcurl uses for the connection: nobody reads the URL another way.
    url_.reset(::curl_url());
    const std::string text(request.url);
    if (url_ == nullptr || text.find('\0') != text.npos || !is_field_value(text) ||
        ::curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
      return FetchFailure::argument;
    }
    const std::optional<std::string> scheme = part_of(url_.get(), CURLUPART_SCHEME);
    const std::optional<std::string> host = part_of(url_.get(), CURLUPART_HOST);
    const std::optional<std::string> port = part_of(url_.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const bool has_more = part_of(url_.get(), CURLUPART_USER) ||
                          part_of(url_.get(), CURLUPART_PASSWORD) ||
                          part_of(url_.get(), CURLUPART_ZONEID);
    if (!scheme || (*scheme != "http" && *scheme != "https") || !host || !port || has_more) {
      return FetchFailure::argument;
    }
    const std::optional<std::uint16_t> number = parse_port_number(*port);
    Result<Target> target =
        number ? make_target(*host, *number) : fail(ErrorKind::invalid_input, "no port");
    if (!target) return FetchFailure::argument;
    target_ = *std::move(target);
    // As it was checked: in lower case, without a dot at the end, an address as itself.
    const bool is_v6 = target_.literal && !target_.literal->is_v4();
    const std::string checked = is_v6 ? "[" + target_.host + "]" : target_.host;
    if (::curl_url_set(url_.get(), CURLUPART_HOST, checked.c_str(), 0) != CURLUE_OK) {
      return FetchFailure::argument;
    }
    return std::nullopt;
  }

  void on_lookup() {
    const Resolver::Answer& answer = *lookup_->answer();
    if (!answer) return fail_with(failure_of(answer.error()));
    permitted_ = *answer;
    if (!begin()) fail_with(FetchFailure::limit);
  }

  bool begin() {
    easy_.reset(::curl_easy_init());
    if (easy_ == nullptr) return false;
    CURL* const easy = easy_.get();
    const auto set = [easy](CURLoption option, auto value) {
      ::curl_easy_setopt(easy, option, value);
    };
    set(CURLOPT_CURLU, url_.get());
    // "/path?" is another address than "/path", and libcurl 8.14 forgets which it was.
    const std::optional<std::string> query = part_of(url_.get(), CURLUPART_QUERY, kEvenIfEmpty);
    if (query && query->empty()) {
      const std::string path = *part_of(url_.get(), CURLUPART_PATH, CURLU_URLENCODE);
      set(CURLOPT_REQUEST_TARGET, (path + "?").c_str());
    }
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    // None of the environment, whatever it says.
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_BUFFERSIZE, kReceiveBytes);
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::min(timeout_, Limits::kConnectTimeout).count()));

    // Instead of resolving: the addresses that are permitted.
    if (!target_.literal) {
      std::string entry = fmt::format("{}:{}:", target_.host, target_.port);
      for (std::size_t i = 0; i < permitted_.size(); ++i) {
        const bool brackets = !permitted_[i].is_v4();
        entry += fmt::format("{}{}{}{}", i > 0 ? "," : "", brackets ? "[" : "",
                             to_string(permitted_[i]), brackets ? "]" : "");
      }
      add_line(resolved_, entry);
      set(CURLOPT_RESOLVE, resolved_.get());
    }
    set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);

    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSL_CTX_FUNCTION, use_certificates);
    set(CURLOPT_SSL_CTX_DATA, client_.certificates_.get());

    set(CURLOPT_CUSTOMREQUEST, method_.c_str());
    const bool sends =
        !body_sent_.empty() || method_ == "POST" || method_ == "PUT" || method_ == "PATCH";
    if (sends) {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_sent_.size()));
      set(CURLOPT_POSTFIELDS, body_sent_.data());
    } else if (method_ == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    }
    bool has_type = false;
    for (const Header& header : sent_) {
      has_type = has_type || equal_ignoring_case(header.name, "content-type");
      // "Name;" is libcurl's way to say "Name:".
      add_line(lines_,
               header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    }
    add_line(lines_, "Expect:");
    if (!has_type) add_line(lines_, "Content-Type:");
    set(CURLOPT_HTTPHEADER, lines_.get());

    set(CURLOPT_HEADERFUNCTION, on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    is_added_ = ::curl_multi_add_handle(pool_.multi(), easy) == CURLM_OK;
    return is_added_;
  }

  // The last word on where a connection goes: whatever libcurl believes the address to be.
  static curl_socket_t open_socket(void* opaque, curlsocktype, curl_sockaddr* address) {
    const auto& fetch = *static_cast<Fetch*>(opaque);
    SocketAddress wanted;
    if (address->addrlen > sizeof wanted.storage) return CURL_SOCKET_BAD;
    std::copy_n(reinterpret_cast<const char*>(&address->addr), address->addrlen,
                reinterpret_cast<char*>(&wanted.storage));
    const std::optional<IpAddress> ip = ip_of(wanted);
    if (!ip || std::ranges::find(fetch.permitted_, *ip) == fetch.permitted_.end() ||
        wanted.port() != fetch.target_.port) {
      return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    address->protocol);
  }

  static CURLcode use_certificates(CURL*, void* context, void* opaque) {
    X509_STORE* const store = static_cast<Certificates*>(opaque)->store;
    ::SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), store);
    return CURLE_OK;
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t bytes, void* opaque) {
    auto& fetch = *static_cast<Fetch*>(opaque);
    std::string_view line(data, bytes);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (fetch.has_head_) return bytes;  // trailers
    fetch.header_bytes_ += bytes;
    if (fetch.header_bytes_ > Limits::kHeaderBytesMax ||
        fetch.headers_.size() > Limits::kHeadersMax) {
      fetch.failure_ = FetchFailure::limit;
      return 0;
    }
    if (line.starts_with("HTTP/")) {
      // Perhaps behind one that was not the last word (1xx).
      fetch.headers_.clear();
      const std::size_t space = line.find(' ');
      const std::string_view rest = space == line.npos ? "" : line.substr(space + 1);
      fetch.status_ = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), fetch.status_);
    } else if (line.empty()) {
      if (fetch.status_ < 200) return bytes;
      fetch.has_head_ = true;
      fetch.overdue_.clear();
      fetch.changed_();
    } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
      fetch.headers_.push_back(
          {std::string(line.substr(0, colon)), std::string(trim_blanks(line.substr(colon + 1)))});
    }
    return bytes;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* opaque) {
    auto& fetch = *static_cast<Fetch*>(opaque);
    if (fetch.body_.size() - fetch.body_at_ >= Limits::kUnreadBytesMax) {
      fetch.is_paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    fetch.body_.append(data, bytes);
    fetch.overdue_.clear();
    fetch.changed_();
    return bytes;
  }

  void go_on() {
    is_paused_ = false;
    ::curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  }

  void on_overdue() {
    if (is_done_ || failure_) return;
    if (is_added_) ::curl_multi_remove_handle(pool_.multi(), easy_.get());
    is_added_ = false;
    fail_with(FetchFailure::timed_out);
  }

  void fail_with(FetchFailure failure) {
    failure_ = failure;
    overdue_.clear();
    lookup_.reset();
    changed_();
  }

  HttpClient& client_;
  Pool& pool_;
  const std::function<void()> changed_;
  const Milliseconds timeout_;
  std::string method_;
  std::string body_sent_;     // kBodyBytesMax
  std::vector<Header> sent_;  // kHeadersMax
  CurlPtr<CURLU> url_;
  Target target_;
  std::vector<IpAddress> permitted_;
  CurlPtr<curl_slist> resolved_;
  CurlPtr<curl_slist> lines_;
  CurlPtr<CURL> easy_;
  bool is_added_ = false;  // to the pool's multi handle

  std::optional<FetchFailure> failure_;
  int status_ = 0;
  std::vector<Header> headers_;  // kHeadersMax
  std::size_t header_bytes_ = 0;
  std::string body_;  // kUnreadBytesMax, and what libcurl hands over at once
  std::size_t body_at_ = 0;
  bool has_head_ = false;
  bool is_paused_ = false;
  bool is_done_ = false;
  Timer overdue_;
  std::unique_ptr<Resolver::Lookup> lookup_;
};

void HttpClient::Pool::act(curl_socket_t fd, int events) {
  int running = 0;
  ::curl_multi_socket_action(multi_, fd, events, &running);
  gone_.clear();
  int left = 0;
  while (CURLMsg* const message = ::curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    void* fetch = nullptr;
    ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
    static_cast<Fetch*>(fetch)->on_done(result);
  }
}

Result<std::unique_ptr<HttpClient>> HttpClient::open(EventLoop& loop, Resolver& resolver,
                                                     const HttpClientOptions& options) {
  static const CURLcode library = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (library != CURLE_OK) {
    return fail(ErrorKind::internal, "libcurl: {}", ::curl_easy_strerror(library));
  }
  std::unique_ptr<HttpClient> client(new HttpClient(loop, resolver));
  X509_STORE* const store = client->certificates_->store;
  const Path file = options.ca_file.empty() ? Path(kSystemCertificates) : options.ca_file;
  if (store == nullptr || ::X509_STORE_load_file(store, file.c_str()) != 1) {
    // Without --ca-file a machine may have none: then no https server is believed.
    if (!options.ca_file.empty()) {
      return fail(ErrorKind::invalid_input, "{}: no certificates in PEM can be read from it",
                  file.string());
    }
    spdlog::debug("{} cannot be read: functions believe no https server", file.string());
  }
  // What OpenSSL reads once and then remembers.
  ::SSL_CTX_free(::SSL_CTX_new(::TLS_client_method()));
  return client;
}

HttpClient::HttpClient(EventLoop& loop, Resolver& resolver)
    : loop_(loop), resolver_(resolver), certificates_(std::make_unique<Certificates>()) {}

HttpClient::~HttpClient() = default;

Result<HttpClient::Pool*> HttpClient::pool(const std::string& name) {
  if (Pool* const found = find_pool(name)) return found;
  CURLM* const multi = ::curl_multi_init();
  if (multi == nullptr) return fail(ErrorKind::exhausted, "libcurl: no room for connections");
  pools_.push_back(std::make_unique<Pool>(loop_, name, multi));
  return pools_.back().get();
}

HttpClient::Pool* HttpClient::find_pool(std::string_view name) const {
  const auto found =
      std::ranges::find_if(pools_, [name](const auto& pool) { return pool->name == name; });
  return found == pools_.end() ? nullptr : found->get();
}

std::unique_ptr<HttpFetch> HttpClient::start(Pool& pool, const OutboundPolicy& policy,
                                             const FetchRequest& request,
                                             std::function<void()> changed) {
  return std::make_unique<Fetch>(*this, pool, policy, request, std::move(changed));
}

}  // namespace nur
