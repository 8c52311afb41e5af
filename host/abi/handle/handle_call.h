// One invocation of a handle function: what its calls of `env` read, and what they build.
//
//   _initialize(), if there is one -> handle() -> the response that was set
//
// Every host function of `env` is handed the HandleCall; those of WASI, in modules that have a C
// library, are handed the process beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/abi/handle/entries.h"
#include "host/abi/handle/environment_table.h"
#include "host/abi/handle/fetches.h"
#include "host/abi/handle/services.h"
#include "host/abi/handle/tcp_sockets.h"
#include "host/net/http_message.h"
#include "host/sandbox/guest_run.h"

namespace nur {

// Which export is called, with which values.
struct HandleTarget {
  std::uint32_t entry = 0;
  const EnvironmentTable* environment = nullptr;
};

// Of one line, as the guest has said.
enum class GuestLogLevel : std::uint8_t { error, warning, info, debug };

// What the guest has set of its answer.
struct HandleResponse {
  std::optional<std::uint16_t> status;
  std::string reason;
  std::vector<Header> headers;  // unchecked, in the order in which they were set
  std::optional<std::string> body;
};

class HandleCall final : public Invocation {
 public:
  using OnLog = std::function<void(GuestLogLevel, std::string_view)>;

  struct Setting {
    const HandleEntries& entries;
    HandleTarget target;
    // nullptr: there is none; the guest runs on a command line.
    const Request* request = nullptr;
    // Context of the imports that are WASI's; nullptr when there are none.
    void* wasi = nullptr;
    std::size_t output_bytes_max = 0;  // of the answer
    // nullopt: it may not connect to anywhere.
    std::optional<HandleNetwork> network = std::nullopt;
    OnLog on_log;
    HandleServices services{};
  };

  // All that the setting refers to outlives the call.
  explicit HandleCall(Setting setting) : setting_(std::move(setting)) {}
  HandleCall(const HandleCall&) = delete;
  HandleCall& operator=(const HandleCall&) = delete;

  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) override;
  void* context(std::uint32_t import) override {
    return setting_.entries.is_wasi(import) ? setting_.wasi : this;
  }

  // --- for host functions

  [[nodiscard]] const EnvironmentTable& environment() const { return *setting_.target.environment; }
  [[nodiscard]] const Request* request() const { return setting_.request; }
  // nullptr when it may not connect to anywhere.
  [[nodiscard]] TcpSockets* sockets();
  void log(GuestLogLevel level, std::string_view text) { setting_.on_log(level, text); }

  [[nodiscard]] const HandleServices& services() const { return setting_.services; }
  // The call of the store that the guest waits in; nullptr when it waits in none.
  [[nodiscard]] std::unique_ptr<KvClient::Call>& kv_call() { return kv_call_; }
  [[nodiscard]] HandleFetches& fetches() { return fetches_; }
  // The guest is to be woken when more of the request has come, or more of the answer has gone.
  HostReply wait_for_client();
  // After a write() that has not written all.
  HostReply wait_for_room();

  // Without a client, `bytes` become a part of the answer. Else sends status and headers as they
  // are set, the first time, and then all of `bytes`: how many, -1 when the client has gone or
  // cannot be sent such a head, or nullopt: the client is slow, to be asked again with the same
  // bytes.
  std::optional<std::int64_t> write(std::string_view bytes);
  [[nodiscard]] bool has_written() const { return has_written_; }

  // Setting more than the limits allow stops the guest: the reply says so.
  HostReply set_status(std::uint32_t status, std::string_view reason);
  HostReply add_header(std::string_view name, std::string_view value);
  HostReply set_body(std::string_view bytes);

  // --- behind the guest's end

  [[nodiscard]] const HandleResponse& response() const { return response_; }
  [[nodiscard]] HandleResponse take_response() { return std::move(response_); }
  // Why a host function stopped the guest, if one did.
  [[nodiscard]] const std::optional<std::string>& refused() const { return refused_; }

 private:
  // Whatever the exchange has to tell is a reason to look again.
  struct Watcher final : ExchangeWatcher {
    void on_exchange() override { waker.wake(); }
    Waker waker;
  };

  HostReply refuse(std::string reason);

  const Setting setting_;
  HandleResponse response_;
  std::size_t head_bytes_ = 0;  // of reason and headers
  std::optional<std::string> refused_;
  std::unique_ptr<KvClient::Call> kv_call_;
  HandleFetches fetches_;
  std::unique_ptr<Watcher> watcher_;  // once it has waited
  bool has_written_ = false;
  std::size_t written_ = 0;            // of the bytes that are being written
  std::optional<TcpSockets> sockets_;  // once it asks for one
  std::uint32_t calls_begun_ = 0;
  nur_value unused_{};
};

}  // namespace nur
