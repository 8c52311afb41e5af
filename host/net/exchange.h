// One request waiting for its one answer.
//
// The connection makes an Exchange when a request is complete and hands it to the RequestHandler;
// or when its head is, to a handler that wants to read the body while it comes. The answer may come
// at once or later, from the same thread, whole or piece by piece; until it has ended the
// connection reads no further request. Exactly one of respond(), respond_exactly(),
// respond_verbatim(), end() and abort() ends an exchange, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "host/net/http_message.h"

namespace nur {

class ExchangeWatcher {
 public:
  virtual ~ExchangeWatcher() = default;
  // More of the body has come, or its end; there is room for more of the answer; or the client has
  // gone. Called from anywhere: to be remembered, not acted upon. May be called for nothing.
  virtual void on_exchange() = 0;
};

class Exchange {
 public:
  // An answer in pieces is to pause while more than this waits to be sent, and may go on below the
  // other.
  static constexpr std::size_t kUnsentBytesMax = 256 << 10;
  static constexpr std::size_t kUnsentBytesLow = 64 << 10;

  virtual ~Exchange() = default;
  [[nodiscard]] virtual const Request& request() const = 0;

  // Where an answer in pieces has begun, it is cut off there instead (abort).
  virtual void respond(Response response) = 0;

  // These bytes, whatever they are, and nothing else; then the connection is closed.
  virtual void respond_exactly(std::string bytes) { respond_verbatim(std::move(bytes)); }

  // Bytes of a complete HTTP/1.x response made by a guest, sent as they are but for what only the
  // front knows: it adds a Date where there is none, and "Connection: close" where it will close.
  // It reads the framing: with Content-Length or chunked coding the connection may live on,
  // otherwise it is closed behind the last byte. A client of HTTP/1.0 gets neither chunks nor 1xx
  // messages. What is no valid response becomes a 502; returns false then.
  virtual bool respond_verbatim(std::string bytes) = 0;

  // Nobody is there to take the answer: the work for it may stop. It must be answered all the same.
  // A client that only closed its sending side is not gone.
  [[nodiscard]] virtual bool client_gone() const = 0;

  // --- The body while it comes.

  // Whom to tell what changes, from now until the exchange has ended; nullptr: nobody.
  virtual void watch(ExchangeWatcher* watcher) = 0;
  // Moves bytes of the body out of request().body: how many, 0 at its end, or nullopt when the
  // next ones have not come; the watcher is told when they have.
  virtual std::optional<std::size_t> read_body(std::span<char> into) = 0;
  // All of it has come, and what read_body() has not moved is in request().body.
  [[nodiscard]] virtual bool body_has_ended() const = 0;

  // --- The answer in pieces. Each goes out as soon as the client takes it; what it has not taken
  // is held. When the client has gone all of these do nothing.

  // Head first; what it says of its framing is replaced. With `length`, so many bytes follow: more
  // are dropped, fewer are an error at end(). Otherwise in chunks, or until the connection closes.
  // Errors: invalid_input when `head` cannot be sent; respond() with something else then.
  virtual Result<void> begin(Response head, std::optional<std::uint64_t> length) = 0;
  virtual void write(std::string_view bytes) = 0;
  // Instead of both: bytes of a response made by a guest, as in respond_verbatim(). Nothing is sent
  // before its head is complete. Errors: invalid_input when it is no HTTP response; respond() then.
  virtual Result<void> write_verbatim(std::string_view bytes) = 0;
  // Bytes that the client has not taken.
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
  // Whether more of it is to be written now. Otherwise the watcher is told when there is room.
  [[nodiscard]] virtual bool has_room() const { return unsent_bytes() <= kUnsentBytesMax; }
  // From now on so much of it may be held, as long as there is memory: whoever makes it can be done
  // sooner than its client.
  virtual void hold_up_to(std::size_t) {}
  // What the client is known to have of it.
  [[nodiscard]] virtual std::uint64_t taken_bytes() const {
    return std::numeric_limits<std::uint64_t>::max();
  }
  // No more pieces will come; the exchange goes on.
  virtual void finish_sending() {}
  // The end of an answer in pieces. Errors: invalid_input when it is not whole: the exchange has
  // not ended, and is to be ended by respond().
  virtual Result<void> end() = 0;
  // Cuts the answer off: the connection closes behind what was written.
  virtual void abort() = 0;

  // The bytes of a connection without HTTP: there is no head, neither of the request nor of the
  // answer; respond() closes behind what was written.
  [[nodiscard]] virtual bool is_raw() const { return false; }
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // `exchange` and its request live until it has been answered; when that happens inside handle(),
  // until handle() returns.
  virtual void handle(Exchange& exchange) = 0;
  // Whether handle() is called before the body is complete. Asked when the head is, if the body is
  // not.
  [[nodiscard]] virtual bool takes_early(const Request&) { return false; }
  // How large the body of this request may be; nullopt: as large as any. The same for the same
  // head, whenever it is asked. Asked when the head is there, if there is a body.
  [[nodiscard]] virtual std::optional<std::size_t> body_bytes_max(const Request&) {
    return std::nullopt;
  }
};

}  // namespace nur
