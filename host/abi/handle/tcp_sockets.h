// The connections to elsewhere that one guest has opened, by number.
//
//   connect: name -> resolver -> permitted addresses -> the first that accepts
//
// What would block says so: the caller parks the guest, and asks again with the same parameters
// when the guest is woken, which any event on any of its sockets does. Everything that is open is
// closed with the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "host/net/event_loop.h"
#include "host/outbound/outbound_policy.h"
#include "host/outbound/resolver.h"
#include "host/sandbox/waker.h"

namespace nur {

// Sockets of all guests of a worker.
struct SocketBudget {
  std::size_t open = 0;
  std::size_t max = 0;
};

// What a worker has to connect with.
struct HandleNetwork {
  EventLoop& loop;
  Resolver& resolver;
  SocketBudget& budget;
  const OutboundPolicy& policy;  // of the function
  Wakeable& guest;
  std::size_t sockets_max = 0;  // of one guest
};

class TcpSockets {
 public:
  // For a name and all of its addresses together.
  static constexpr Milliseconds kConnectTimeout{3000};
  // Numbers begin behind those of the standard streams, which a C library has.
  static constexpr std::int32_t kFirst = 3;
  // One read or write moves no more at once.
  static constexpr std::size_t kTransferBytesMax = std::size_t{64} << 10;

  explicit TcpSockets(const HandleNetwork& network);
  ~TcpSockets();
  TcpSockets(const TcpSockets&) = delete;
  TcpSockets& operator=(const TcpSockets&) = delete;

  // The number of a new connection, or a handle::Failure; nullopt: not yet, and no later than
  // connect_deadline().
  std::optional<std::int32_t> connect(std::string_view address);
  [[nodiscard]] TimePoint connect_deadline() const;

  // What the socket has, at most as much as there is room; 0 at its end, -1 when it is broken or
  // there is none of that number; nullopt: nothing yet.
  std::optional<std::int64_t> read(std::int32_t number, std::span<char> room);

  // All of `bytes`, from where the last call that said "not yet" has come to. Their number, or -1;
  // nullopt: not all yet.
  std::optional<std::int64_t> write(std::int32_t number, std::string_view bytes);

  // False when there is none of that number.
  bool close(std::int32_t number);

 private:
  struct Socket;
  struct Attempt;

  [[nodiscard]] Socket* find(std::int32_t number) const;
  std::optional<std::int32_t> begin(std::string_view address);
  // The outcome of the attempt that is under way, if it has one.
  std::optional<std::int32_t> go_on();
  // False when this address is no good.
  bool dial(const IpAddress& address);
  std::int32_t keep(std::unique_ptr<Socket> socket);

  const HandleNetwork network_;
  std::vector<std::unique_ptr<Socket>> sockets_;  // nullptr: closed, to be used again
  std::unique_ptr<Attempt> attempt_;
};

}  // namespace nur
