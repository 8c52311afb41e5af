// Echo over TCP: a plain epoll server, and the load for any echo server.
//
// tcp_echo serve                       on a port of 127.0.0.1, which it says; until it is ended
// tcp_echo load PORT SECONDS CONNECTIONS BYTES
//
// Each connection of the load sends BYTES, waits until all of them are back, compares, and sends
// anew. One line: chunks_per_second. The server is the least that echoes: it waits for connections
// that are readable, and for each receives once and sends once.
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBufferBytes = 64 << 10;
constexpr int kEventsMax = 256;

[[noreturn]] void die(const std::string& reason) {
  fmt::print(stderr, "tcp_echo: {}\n", reason);
  std::exit(1);
}

std::size_t number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    die(fmt::format("\"{}\" is no number", text));
  }
  return value;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void watch(int epoll, int socket) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) die("epoll_ctl failed");
}

// Clients of the bench read what they are sent, so a send takes everything.
void echo_once(int socket, std::array<char, kBufferBytes>& buffer) {
  const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
  if (count <= 0) {
    ::close(socket);
    return;
  }
  if (::send(socket, buffer.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) {
    ::close(socket);
  }
}

[[noreturn]] void serve() {
  static std::array<char, kBufferBytes> buffer;
  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t bytes = sizeof address;
  if (::bind(listening, reinterpret_cast<sockaddr*>(&address), bytes) != 0 ||
      ::listen(listening, 4096) != 0 ||
      ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
    die("listening failed");
  }
  fmt::print("{}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int epoll = ::epoll_create1(0);
  watch(epoll, listening);
  std::array<epoll_event, kEventsMax> events;
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), kEventsMax, -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket != listening) {
        echo_once(socket, buffer);
        continue;
      }
      const int accepted = ::accept4(listening, nullptr, nullptr, 0);
      if (accepted < 0) continue;
      set_no_delay(accepted);
      watch(epoll, accepted);
    }
  }
}

void load(std::uint16_t port, std::size_t seconds, std::size_t connections, std::size_t bytes) {
  if (bytes == 0 || bytes > kBufferBytes) die("1 to 65536 bytes");
  static std::array<char, kBufferBytes> buffer;
  std::string chunk;
  for (std::size_t i = 0; i < bytes; ++i) chunk += static_cast<char>('a' + i % 26);
  const int epoll = ::epoll_create1(0);
  std::vector<std::size_t> received(4096, 0);  // by descriptor
  const auto send_chunk = [&](int socket) {
    if (::send(socket, chunk.data(), chunk.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(chunk.size())) {
      die("sending failed");
    }
  };
  const sockaddr_in address = loopback(port);
  for (std::size_t i = 0; i < connections; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (static_cast<std::size_t>(socket) >= received.size()) die("too many connections");
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      die("connecting failed");
    }
    set_no_delay(socket);
    watch(epoll, socket);
    send_chunk(socket);
  }
  std::size_t echoed = 0;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::seconds(seconds);
  std::array<epoll_event, kEventsMax> events;
  while (Clock::now() < end) {
    const int count = ::epoll_wait(epoll, events.data(), kEventsMax, 1000);
    if (count <= 0) die("the server echoes nothing");
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      std::size_t& have = received[static_cast<std::size_t>(socket)];
      const ssize_t got = ::recv(socket, buffer.data(), bytes - have, 0);
      if (got <= 0) die("the server closed a connection");
      if (chunk.compare(have, static_cast<std::size_t>(got), buffer.data(),
                        static_cast<std::size_t>(got)) != 0) {
        die("what came back is not what was sent");
      }
      have += static_cast<std::size_t>(got);
      if (have < bytes) continue;
      have = 0;
      ++echoed;
      send_chunk(socket);
    }
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  fmt::print("{:.0f}\n", static_cast<double>(echoed) / took.count());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && arguments[0] == "serve") serve();
  if (arguments.size() != 5 || arguments[0] != "load") {
    die("usage: tcp_echo serve | tcp_echo load PORT SECONDS CONNECTIONS BYTES");
  }
  load(static_cast<std::uint16_t>(number(arguments[1])), number(arguments[2]), number(arguments[3]),
       number(arguments[4]));
}
