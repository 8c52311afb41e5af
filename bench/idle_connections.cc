// Opens connections to a server, has one request answered on each, prints a line and keeps them
// open until its standard input ends.
//
//   idle_connections PORT PATH COUNT
//
// They come from 127.0.0.1, 127.0.0.2 and so on, since an address has fewer ports than that.
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr int kPerAddress = 5'000;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(std::uint32_t last_byte, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last_byte);
  return address;
}

int connect_from(std::uint32_t last_byte, std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) give_up("socket");
  // The port is chosen when both ends are known, so that many may share one.
  const int on = 1;
  ::setsockopt(made, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in from = loopback(last_byte, 0);
  if (::bind(made, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) give_up("bind");
  const sockaddr_in to = loopback(1, port);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) give_up("connect");
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: idle_connections PORT PATH COUNT\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const std::string request =
      "GET " + std::string(argv[2]) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const int count = std::atoi(argv[3]);

  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);

  std::vector<int> connections;
  for (int i = 0; i < count; ++i) {
    const int made = connect_from(static_cast<std::uint32_t>(1 + i / kPerAddress), port);
    if (::send(made, request.data(), request.size(), MSG_NOSIGNAL) < 0) give_up("send");
    char answer[4096];
    const ssize_t got = ::recv(made, answer, sizeof answer, 0);
    if (got < 12 || std::string(answer, 12) != "HTTP/1.1 200") {
      std::fprintf(stderr, "connection %d was not answered with 200\n", i + 1);
      return 1;
    }
    connections.push_back(made);
  }
  std::printf("open %zu\n", connections.size());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  // Those that the server has closed meanwhile.
  int closed = 0;
  for (const int connection : connections) {
    char byte;
    closed += ::recv(connection, &byte, 1, MSG_DONTWAIT) == 0;
  }
  std::printf("closed %d\n", closed);
}
