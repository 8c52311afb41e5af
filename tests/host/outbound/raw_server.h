// A server of a few lines on loopback, on the event loop of the test: takes a request's head, and
// then does what the test says with the connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "host/net/event_loop.h"

namespace nur::test {

class RawServer final : public EventHandler {
 public:
  class Connection final : public EventHandler {
   public:
    Connection(RawServer& server, Fd socket);
    ~Connection() override;
    void on_events(std::uint32_t events) override;
    // As much of it as the socket takes now; the rest as it takes more.
    void send(std::string_view bytes);
    // Sends this again and again, for as long as anybody takes it.
    void send_for_ever(std::string piece);
    void close();  // behind what was sent
    void reset();
    [[nodiscard]] std::size_t sent() const { return sent_; }
    int requests = 0;

   private:
    void flush();
    RawServer& server_;
    Fd socket_;
    std::string received_;
    std::string unsent_;
    std::string for_ever_;
    std::size_t sent_ = 0;
    bool closes_ = false;
  };
  using Answer = std::function<void(Connection& connection, const std::string& request)>;

  RawServer(EventLoop& loop, Answer answer);
  ~RawServer() override;
  void on_events(std::uint32_t events) override;
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url(const std::string& path = "/") const;

  std::vector<std::unique_ptr<Connection>> connections;  // all there ever were
  std::vector<std::string> requests;                     // heads and what came with them

 private:
  EventLoop& loop_;
  Fd socket_;
  Answer answer_;
};

}  // namespace nur::test
