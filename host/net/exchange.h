// One request waiting for its one answer.
//
// The connection makes an Exchange when a request is complete and hands it to the RequestHandler.
// The answer may come at once or later, from the same thread; until then the connection reads no
// further request. Exactly one of the respond functions is called, once.
#pragma once

#include <string>

#include "host/net/http_message.h"

namespace nur {

class Exchange {
 public:
  virtual ~Exchange() = default;
  [[nodiscard]] virtual const Request& request() const = 0;

  virtual void respond(Response response) = 0;

  // Bytes of a complete HTTP/1.x response made by a guest, sent as they are but for what only the
  // front knows: it adds a Date where there is none, and "Connection: close" where it will close.
  // It reads the framing: with Content-Length or chunked coding the connection may live on,
  // otherwise it is closed behind the last byte. A client of HTTP/1.0 gets neither chunks nor 1xx
  // messages. What is no valid response becomes a 502; returns false then.
  virtual bool respond_verbatim(std::string bytes) = 0;

  // Nobody is there to take the answer: the work for it may stop. It must be answered all the same.
  // A client that only closed its sending side is not gone.
  [[nodiscard]] virtual bool client_gone() const = 0;
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // `exchange` and its request live until it has been answered; when that happens inside handle(),
  // until handle() returns.
  virtual void handle(Exchange& exchange) = 0;
};

}  // namespace nur
