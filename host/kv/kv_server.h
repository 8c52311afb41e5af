// The store's side: connections of workers, whose requests are done together, some in each turn of
// the loop, so that no function's requests hold up those of others for long. A slow disk holds up
// who waits for the store, and nobody else.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "host/kv/kv_database.h"
#include "host/kv/kv_message.h"
#include "host/kv/kv_queue.h"
#include "host/net/event_loop.h"

namespace nur {

// Milliseconds since 1970: lifetimes outlast the machine's restarts.
using WallClock = std::function<std::int64_t()>;
std::int64_t wall_clock_ms();

// How long the requests of one transaction may take; the last of them may take longer.
inline constexpr Milliseconds kKvBatchTime(2);

class KvServer {
 public:
  // All outlive the server. `clock` measures how long requests take.
  KvServer(EventLoop& loop, KvDatabase& database, const Clock& clock,
           WallClock now_ms = wall_clock_ms);
  ~KvServer();
  KvServer(const KvServer&) = delete;
  KvServer& operator=(const KvServer&) = delete;

  // A stream socket that does not block. Whoever breaks the protocol on it is dropped.
  // Errors: those of EventLoop::watch.
  Result<void> add(Fd socket);
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  // Some of what was asked for, at the end of this turn.
  void run_soon();
  [[nodiscard]] Connection* connection(std::uint64_t number) const;
  void run();
  void drop(Connection& connection);
  void purge();

  EventLoop& loop_;
  KvDatabase& database_;
  const Clock& clock_;
  const WallClock now_ms_;
  KvQueue queue_;
  std::uint64_t next_number_ = 1;
  std::vector<std::unique_ptr<Connection>> connections_;  // one per worker
  std::vector<std::unique_ptr<Connection>> dropped_;      // since the last turn
  Timer batch_;
  Timer purge_;
};

}  // namespace nur
