// The nur stream ABI: bytes of one connection in, bytes out (docs/guest-abi.md).
//
// The guest is given its input in chunks of at most 1,024 bytes, each in a buffer that it allocates
// itself; poll_stream(0, 0) tells it that there is no more. It answers with nur_send as often as it
// likes and says nur_end when it is done; what it sends or logs after that is dropped.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
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

class NurStream final : public Invocation {
 public:
  using OnLog = std::function<void(std::string_view)>;

  // `input` outlives the stream. More than `output_bytes_max` of output stops the guest.
  NurStream(const StreamEntries& entries, std::string_view input, std::size_t output_bytes_max,
            OnLog on_log);
  NurStream(const NurStream&) = delete;
  NurStream& operator=(const NurStream&) = delete;

  std::expected<std::optional<Call>, nur_trap> next_call(const GuestMemory& memory) override;
  void* context(std::uint32_t) override { return this; }

  [[nodiscard]] std::string take_output() { return std::move(output_); }
  [[nodiscard]] bool overflowed() const { return overflowed_; }

  HostReply log(std::string_view text);
  HostReply send(std::string_view bytes);
  HostReply end();

 private:
  enum class Phase { offer_chunk, deliver_chunk, finished };

  const StreamEntries entries_;
  std::string_view input_;
  const std::size_t output_bytes_max_;
  const OnLog on_log_;
  Phase phase_ = Phase::offer_chunk;
  std::size_t chunk_bytes_ = 0;
  std::array<nur_value, 2> parameters_{};
  std::vector<nur_value> results_;  // of poll_stream, should it have more than that
  std::span<nur_value> values_;     // one of the two
  std::string output_;
  bool ended_ = false;
  bool overflowed_ = false;
};

}  // namespace nur
