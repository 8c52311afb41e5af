// The nur stream ABI: bytes of one connection in, bytes out (docs/guest-abi.md).
//
// The guest is given its input in chunks of at most 1,024 bytes, each in a buffer that it allocates
// itself; poll_stream(0, 0) tells it that there is no more. It answers with nur_send as often as it
// likes and says nur_end when it is done; what it sends or logs after that is dropped.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/manifest.h"
#include "base/result.h"
#include "host/sandbox/guest_run.h"
#include "host/sandbox/host_function.h"

namespace nur {

// The host function behind `nur`.`name`; nullptr when there is none.
HostFunction find_stream_function(std::string_view name);

// Which exports are called, looked up once per module.
struct StreamEntries {
  std::uint32_t alloc = 0;
  std::uint32_t poll_stream = 0;
  std::size_t poll_stream_results = 0;  // taken and ignored

  // Errors: invalid_input, naming the export that is missing or of another type.
  static Result<StreamEntries> find(const Manifest& manifest);
};

// The client of a stream, where bytes come and go while the guest runs.
class StreamPeer {
 public:
  virtual ~StreamPeer() = default;
  // Moves what has come: how many bytes, 0 at the end, nullopt when none is there now. Whoever runs
  // the guest is woken when there is.
  virtual std::optional<std::size_t> read(std::span<char> into) = 0;

  enum class Taken : std::uint8_t {
    all,    // and `output` is empty
    later,  // nothing: there is no room now. Whoever runs the guest is woken when there is
    never,  // the guest is to be stopped
  };
  virtual Taken take(std::string& output) = 0;
};

class NurStream final : public Invocation {
 public:
  using OnLog = std::function<void(std::string_view)>;

  // What a guest sends is held up to here before a peer is given it. Most answers are smaller, and
  // are whole when the guest is done.
  static constexpr std::size_t kHeldBytesMax = 256 << 10;

  // All input is there, and output is kept. `input` outlives the stream. More than
  // `output_bytes_max` of output stops the guest.
  NurStream(const StreamEntries& entries, std::string_view input, std::size_t output_bytes_max,
            OnLog on_log);
  // A guest that sends much waits for `peer` to take it. With `reads` more input comes from there,
  // and each chunk of it renews the guest's limits. `input` and `peer` outlive the stream.
  NurStream(const StreamEntries& entries, std::string_view input, StreamPeer& peer, bool reads,
            OnLog on_log);
  NurStream(const NurStream&) = delete;
  NurStream& operator=(const NurStream&) = delete;

  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) override;
  void* context(std::uint32_t) override { return this; }

  [[nodiscard]] std::string take_output() { return std::move(output_); }
  // What was sent and not taken.
  [[nodiscard]] std::string& output() { return output_; }
  // It has said nur_end.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool overflowed() const { return overflowed_; }

  HostReply log(std::string_view text);
  HostReply send(std::string_view bytes);
  HostReply end();

 private:
  // What one read of the original worker delivers at most; guests size their buffers by it.
  static constexpr std::size_t kChunkBytesMax = 1024;
  // Asked for at once: a socket that gives less is empty, which a full chunk would not tell.
  static constexpr std::size_t kReadBytes = 2 * kChunkBytesMax;

  // False: nothing is there now.
  bool read_chunk();
  HostReply send_to_peer(std::string_view bytes);

  enum class Phase { offer_chunk, deliver_chunk, finished };

  const StreamEntries entries_;
  std::string_view input_;
  const std::size_t output_bytes_max_;
  StreamPeer* const peer_ = nullptr;
  bool reads_ = false;  // more input may come from the peer
  bool renews_limits_ = false;
  std::unique_ptr<std::array<char, kReadBytes>> read_;  // input_, once it comes from there
  const OnLog on_log_;
  Phase phase_ = Phase::offer_chunk;
  std::size_t sent_ = 0;  // of the nur_send that the guest is in
  std::size_t chunk_bytes_ = 0;
  std::array<nur_value, 2> parameters_{};
  std::vector<nur_value> results_;  // of poll_stream, should it have more than that
  std::span<nur_value> values_;     // one of the two
  std::string output_;
  bool ended_ = false;
  bool overflowed_ = false;
};

}  // namespace nur
