// A worker's side of the key-value store: many calls under way on one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/fd.h"
#include "host/kv/kv_message.h"
#include "host/net/event_loop.h"
#include "host/net/output_queue.h"

namespace nur {

// Calls of a worker that wait for the store; more are refused (KvCode::limit).
inline constexpr std::size_t kKvCallsMax = 10'000;
// What these have to say, in bytes that the store has not read yet.
inline constexpr std::size_t kKvUnsentMax = std::size_t{64} << 20;

class KvClient final : public EventHandler {
 public:
  // A request under way; destroying it lets its reply go unheard. What was asked for is done all
  // the same.
  class Call {
   public:
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    // nullptr until it is there. KvCode::absent when the store has gone.
    [[nodiscard]] const KvReply* reply() const { return reply_ ? &*reply_ : nullptr; }

   private:
    friend class KvClient;
    Call() = default;
    KvClient* client_ = nullptr;  // while the reply is awaited
    std::uint64_t id_ = 0;
    std::function<void()> done_;
    std::optional<KvReply> reply_;
  };

  explicit KvClient(EventLoop& loop) : loop_(loop) {}
  ~KvClient() override;
  KvClient(const KvClient&) = delete;
  KvClient& operator=(const KvClient&) = delete;

  // Uses this connection from here on; calls of the one before get no reply but absent.
  // Errors: those of EventLoop::watch.
  Result<void> connect(Fd socket);
  [[nodiscard]] bool is_connected() const { return socket_.is_open(); }

  // Either the call has its reply when this returns, and `done` is never called; or `done` is
  // called once it has, unless the call is destroyed before. The client outlives the call.
  std::unique_ptr<Call> start(KvRequest request, std::function<void()> done);

  void on_events(std::uint32_t events) override;

 private:
  void read();
  void flush();
  void disconnect();

  EventLoop& loop_;
  Fd socket_;
  KvStream<KvReply> stream_;
  std::unordered_map<std::uint64_t, Call*> calls_;  // kKvCallsMax
  std::uint64_t next_id_ = 1;
  OutputQueue unsent_;  // kKvUnsentMax and one request
  bool waits_for_room_ = false;
};

}  // namespace nur
