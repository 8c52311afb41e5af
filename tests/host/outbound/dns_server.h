// A DNS server of a few lines on loopback, on the event loop of the test: says what it was told to
// say, or nothing, or nonsense.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/fd.h"
#include "host/net/event_loop.h"

namespace nur::test {

class DnsServer final : public EventHandler {
 public:
  struct Reply {
    enum class Kind {
      addresses,
      no_such_name,
      server_failure,
      silence,
      junk,
      wrong_id,
      wrong_name
    };
    Kind kind = Kind::addresses;
    std::vector<std::string> addresses;  // both families; each query gets those of its own
    unsigned ttl = 0;
  };

  explicit DnsServer(EventLoop& loop);
  ~DnsServer() override;

  // Answers of a name, one after the other; the last one for good. Other names do not exist.
  void set(const std::string& name, std::vector<Reply> replies);

  [[nodiscard]] std::string address() const;  // "127.0.0.1:12345"
  // Queries for addresses of IPv4 that came for a name.
  [[nodiscard]] int asked(const std::string& name) const;
  [[nodiscard]] int asked() const;

  void on_events(std::uint32_t events) override;

 private:
  std::string answer(const std::string& query);

  EventLoop& loop_;
  Fd socket_;
  std::map<std::string, std::vector<Reply>> replies_;
  std::map<std::string, int> asked_;
};

}  // namespace nur::test
