// What the listener of uploads answers.
//
//   PUT /NAME.so, /NAME.wasm   -> verified, put into the folder: 201, 200
//   DELETE /NAME.so            -> removed: 204, 404
//   GET /                      -> what is there, as JSON
//
// All of it with the token, without which nobody is told anything, at the head of a request: no
// byte of a body is waited for that would not be taken.
#pragma once

#include <deque>

#include "host/net/event_loop.h"
#include "host/net/exchange.h"
#include "host/upload/upload_folder.h"
#include "host/upload/upload_name.h"
#include "host/upload/upload_token.h"

namespace nur {

class UploadHandler final : public RequestHandler {
 public:
  // A wrong token is answered so much later. With the connections there can be at once, that is how
  // many can be tried.
  static constexpr Milliseconds kWrongTokenDelay{1000};

  // All outlive the handler, and it outlives its exchanges.
  UploadHandler(EventLoop& loop, const UploadToken& token, const UploadFolder& folder)
      : loop_(loop),
        token_(token),
        folder_(folder),
        answer_delayed_(loop.timers(), [this] { answer_delayed(); }) {}

  void handle(Exchange& exchange) override;
  // What is refused whatever its body is.
  [[nodiscard]] bool takes_early(const Request& request) override;

 private:
  struct Delayed {
    Exchange* exchange;
    TimePoint until;
  };
  void answer_delayed();
  // With the right token.
  [[nodiscard]] Response answer(const Request& request) const;
  [[nodiscard]] Response put(const Request& request, const UploadName& name) const;
  [[nodiscard]] Response remove(const Request& request, const UploadName& name) const;
  [[nodiscard]] Response list() const;

  EventLoop& loop_;
  const UploadToken& token_;
  const UploadFolder& folder_;
  std::deque<Delayed> delayed_;  // by time; one a connection
  Timer answer_delayed_;
};

}  // namespace nur
