// Load with latencies: requests of several kinds at once, each kind at its own pace.
//
// latency_load --address 127.0.0.1:8080 --seconds N [--seed N] STREAM...
//
//   STREAM  NAME,PATH,RATE,CONNECTIONS[,COUNT]
//     RATE  requests a second, at random moments (a Poisson process); 0: each connection asks anew
//           as soon as it is answered
//     COUNT no more requests than this; a stream with a count is waited for
//
// Latency is from the moment a request was due until its last byte came, so that a server that is
// late is not asked less. One line per stream: NAME n= p50_us= p99_us= p999_us= max_us= STATUS=...
// and one more, all:NAME, for streams of the same name.
#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;

[[noreturn]] void die(const std::string& reason) {
  fmt::print(stderr, "latency_load: {}\n", reason);
  std::exit(1);
}

template <class T>
T number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    die(fmt::format("\"{}\" is no number", text));
  }
  return value;
}

struct Stream;

struct Connection {
  Stream* stream = nullptr;
  int socket = -1;
  bool busy = false;
  Moment due;
  std::string received;
};

struct Answers {
  std::vector<std::int64_t> latencies_ns;
  std::map<int, std::uint64_t> statuses;

  Answers& operator+=(const Answers& other) {
    latencies_ns.insert(latencies_ns.end(), other.latencies_ns.begin(), other.latencies_ns.end());
    for (const auto& [status, count] : other.statuses) statuses[status] += count;
    return *this;
  }
};

void print(const std::string& name, const Answers& answers) {
  std::vector<std::int64_t> sorted = answers.latencies_ns;
  std::ranges::sort(sorted);
  const auto quantile = [&](double share) {
    if (sorted.empty()) return std::int64_t{0};
    const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
    return sorted[std::min(place, sorted.size() - 1)] / 1000;
  };
  fmt::print("{} n={} p50_us={} p99_us={} p999_us={} max_us={}", name, sorted.size(), quantile(0.5),
             quantile(0.99), quantile(0.999), quantile(1));
  for (const auto& [status, count] : answers.statuses) fmt::print(" {}={}", status, count);
  fmt::print("\n");
}

struct Stream {
  std::string name;
  std::string request;
  double rate = 0;
  std::uint64_t count_max = UINT64_MAX;
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<Connection*> idle;
  std::deque<Moment> due;  // not sent yet, for want of an idle connection
  Moment next;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  Answers answers;

  [[nodiscard]] bool is_counted() const { return count_max != UINT64_MAX; }
};

class Load {
 public:
  Load(const std::string& address, std::uint64_t seed) : random_(seed) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) die("write --address HOST:PORT");
    server_.sin_family = AF_INET;
    server_.sin_port = htons(number<std::uint16_t>(std::string_view(address).substr(colon + 1)));
    if (::inet_pton(AF_INET, address.substr(0, colon).c_str(), &server_.sin_addr) != 1) {
      die(address + " is no address");
    }
    host_ = address;
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll_ < 0 || timer_ < 0) die("no descriptors");
    watch(timer_, nullptr);
  }

  void add(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t comma = std::min(text.find(',', at), text.size());
      parts.emplace_back(text.substr(at, comma - at));
      at = comma + 1;
    }
    if (parts.size() < 4 || parts.size() > 5) die("write NAME,PATH,RATE,CONNECTIONS[,COUNT]");
    streams_.push_back(std::make_unique<Stream>());
    Stream& stream = *streams_.back();
    stream.name = parts[0];
    stream.request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", parts[1], host_);
    stream.rate = number<double>(parts[2]);
    if (parts.size() == 5) stream.count_max = number<std::uint64_t>(parts[4]);
    for (std::size_t i = number<std::size_t>(parts[3]); i > 0; --i) {
      stream.connections.push_back(std::make_unique<Connection>());
      Connection& connection = *stream.connections.back();
      connection.stream = &stream;
      connect(connection);
      stream.idle.push_back(&connection);
    }
  }

  void run(std::chrono::seconds length) {
    begin_ = Clock::now();
    end_ = begin_ + length;
    for (const auto& stream : streams_) {
      stream->next = begin_;
      if (stream->rate > 0) {
        schedule(*stream);
      } else {
        for (std::size_t i = stream->idle.size(); i > 0; --i) ask(*stream, begin_);
      }
    }
    while (!is_over()) turn();
  }

  // A line for each stream; one more for all streams of a name that several have.
  void report() const {
    std::map<std::string, Answers> together;
    std::map<std::string, int> streams;
    for (const auto& stream : streams_) {
      print(stream->name, stream->answers);
      together[stream->name] += stream->answers;
      ++streams[stream->name];
    }
    for (const auto& [name, answers] : together) {
      if (streams[name] > 1) print("all:" + name, answers);
    }
  }

 private:
  void watch(int descriptor, Connection* connection) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) die("epoll_ctl");
  }

  void connect(Connection& connection) {
    if (connection.socket >= 0) ::close(connection.socket);
    connection.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(connection.socket, reinterpret_cast<const sockaddr*>(&server_), sizeof server_) !=
        0) {
      die("cannot connect to " + host_);
    }
    watch(connection.socket, &connection);
  }

  // The next moment at which a request of this stream is due.
  void schedule(Stream& stream) {
    std::exponential_distribution<double> gap(stream.rate);
    stream.next += nanoseconds(static_cast<std::int64_t>(gap(random_) * 1e9));
  }

  // With an idle connection, or later.
  void ask(Stream& stream, Moment due) {
    if (stream.asked >= stream.count_max) return;
    ++stream.asked;
    if (stream.idle.empty()) return stream.due.push_back(due);
    Connection& connection = *stream.idle.back();
    stream.idle.pop_back();
    send(connection, due);
  }

  void send(Connection& connection, Moment due) {
    connection.busy = true;
    connection.due = due;
    connection.received.clear();
    const std::string& request = connection.stream->request;
    if (::send(connection.socket, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      die("sending a request failed");
    }
  }

  [[nodiscard]] bool is_over() const {
    const bool late = Clock::now() >= end_;
    bool counted = false;
    for (const auto& stream : streams_) {
      if (!stream->is_counted()) continue;
      counted = true;
      if (stream->answered < stream->count_max) return late && Clock::now() >= end_ + kGrace;
    }
    return counted || late;
  }

  void turn() {
    Moment next = end_;
    const Moment now = Clock::now();
    for (const auto& stream : streams_) {
      if (stream->rate <= 0) continue;
      while (stream->next <= now && stream->next < end_) {
        ask(*stream, stream->next);
        schedule(*stream);
      }
      next = std::min(next, stream->next);
    }
    const auto at = duration_cast<nanoseconds>(next.time_since_epoch()).count();
    itimerspec when{};
    when.it_value.tv_sec = at / 1'000'000'000;
    when.it_value.tv_nsec = at % 1'000'000'000;
    ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);

    epoll_event ready[64];
    const int count = ::epoll_wait(epoll_, ready, 64, 100);
    for (int i = 0; i < count; ++i) {
      if (ready[i].data.ptr != nullptr) receive(*static_cast<Connection*>(ready[i].data.ptr));
    }
  }

  void receive(Connection& connection) {
    char buffer[16384];
    const ssize_t bytes = ::recv(connection.socket, buffer, sizeof buffer, 0);
    if (bytes <= 0) {
      if (connection.busy) die("the server closed a connection before its answer");
      return connect(connection);
    }
    std::string& text = connection.received;
    text.append(buffer, static_cast<std::size_t>(bytes));
    const std::size_t head = text.find("\r\n\r\n");
    if (head == std::string::npos) return;
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t length_at = text.find(kLength);
    if (length_at == std::string::npos || length_at > head) die("an answer without a length");
    const std::size_t value_at = length_at + kLength.size();
    const auto length = number<std::size_t>(
        std::string_view(text).substr(value_at, text.find('\r', value_at) - value_at));
    if (text.size() < head + 4 + length) return;
    end(connection);
  }

  void end(Connection& connection) {
    Stream& stream = *connection.stream;
    const Moment now = Clock::now();
    stream.answers.latencies_ns.push_back(duration_cast<nanoseconds>(now - connection.due).count());
    ++stream.answers.statuses[number<int>(std::string_view(connection.received).substr(9, 3))];
    ++stream.answered;
    connection.busy = false;
    if (connection.received.find("\r\nConnection: close") != std::string::npos) connect(connection);
    if (!stream.due.empty()) {
      const Moment due = stream.due.front();
      stream.due.pop_front();
      return send(connection, due);
    }
    stream.idle.push_back(&connection);
    if (stream.rate <= 0 && now < end_) ask(stream, now);
  }

  static constexpr std::chrono::seconds kGrace{10};

  std::mt19937_64 random_;
  sockaddr_in server_{};
  std::string host_;
  int epoll_ = -1;
  int timer_ = -1;
  Moment begin_;
  Moment end_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string address;
  std::chrono::seconds length{5};
  std::uint64_t seed = 1;
  std::vector<std::string_view> streams;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      streams.push_back(word);
    } else if (i + 1 == argc) {
      die(fmt::format("{} needs a value", word));
    } else if (word == "--address") {
      address = argv[++i];
    } else if (word == "--seconds") {
      length = std::chrono::seconds(number<int>(argv[++i]));
    } else if (word == "--seed") {
      seed = number<std::uint64_t>(argv[++i]);
    } else {
      die(fmt::format("unknown option: {}", word));
    }
  }
  if (address.empty() || streams.empty()) {
    die("usage: latency_load --address HOST:PORT --seconds N [--seed N] STREAM...");
  }
  Load load(address, seed);
  for (const std::string_view stream : streams) load.add(stream);
  load.run(length);
  load.report();
  return 0;
}
