// A server on loopback whose loop and clock the test turns by hand, and clients for it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "host/net/http_server.h"

namespace nur {

class TestClient;

class TestFront : public RequestHandler {
 public:
  explicit TestFront(ServerOptions options = {});

  TestClient connect();
  TestClient connect_unaccepted();  // nobody has looked whether it waits
  // Turns the loop until `condition` holds; false when it does not come to.
  bool until(const std::function<bool()>& condition);
  // A few turns, for what must not happen.
  void settle();
  void advance(Milliseconds by);

  // Answers "METHOD path body" unless `hold` or `answer` says otherwise.
  void handle(Exchange& exchange) override;
  [[nodiscard]] bool takes_early(const Request&) override { return early; }
  [[nodiscard]] std::optional<std::size_t> body_bytes_max(const Request& request) override {
    ++limits_asked;
    const auto found = body_limits.find(std::string(request.path));
    return found == body_limits.end() ? std::nullopt : std::optional(found->second);
  }

  ManualClock clock;
  std::unique_ptr<EventLoop> loop;
  bool hold = false;                      // exchanges wait in `held`
  bool early = false;                     // requests are taken in the middle of their body
  std::function<void(Exchange&)> answer;  // instead of the echo
  std::vector<Exchange*> held;
  std::vector<std::string> paths;                  // of the requests handled
  std::map<std::string, std::size_t> body_limits;  // by path
  std::size_t limits_asked = 0;
  std::unique_ptr<HttpServer> server;
};

class TestClient {
 public:
  TestClient(TestFront& front, Fd socket) : front_(front), socket_(std::move(socket)) {}

  void send(std::string_view bytes);
  void finish_sending();
  // Closes with a reset instead of a FIN.
  void reset();
  void close() { socket_.reset(); }

  // Takes what has come; everything so far is in received().
  void receive();
  [[nodiscard]] const std::string& received() const { return received_; }
  // Turns the server until `text` has been received.
  bool awaits(std::string_view text);
  bool awaits_bytes(std::size_t count);
  // Turns the server until it has closed; received() is then all there is.
  bool awaits_close();
  [[nodiscard]] bool was_reset() const { return reset_; }
  [[nodiscard]] int socket() const { return socket_.get(); }

 private:
  TestFront& front_;
  Fd socket_;
  std::string received_;
  bool closed_ = false;
  bool reset_ = false;
};

inline std::string get(std::string_view path, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", path, headers);
}

inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace nur
