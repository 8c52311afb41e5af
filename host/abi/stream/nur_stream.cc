#include "host/abi/stream/nur_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nur {
namespace {

NurStream& stream_of(void* context) { return *static_cast<NurStream*>(context); }

// The bytes (values[0], values[1]) name, or nullopt when they are not all inside the memory.
std::optional<std::string_view> argument(const GuestMemory& memory, const nur_value* values) {
  return memory.text(values[0].i32, values[1].i32);
}

HostReply nur_log(void* context, const GuestMemory& memory, nur_value* values) {
  const auto text = argument(memory, values);
  return text ? stream_of(context).log(*text) : HostReply::trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
}

HostReply nur_send(void* context, const GuestMemory& memory, nur_value* values) {
  const auto bytes = argument(memory, values);
  return bytes ? stream_of(context).send(*bytes) : HostReply::trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
}

HostReply nur_end(void* context, const GuestMemory&, nur_value*) {
  return stream_of(context).end();
}

}  // namespace

HostFunction find_stream_function(std::string_view name) {
  if (name == "nur_log") return nur_log;
  if (name == "nur_send") return nur_send;
  if (name == "nur_end") return nur_end;
  return nullptr;
}

Result<StreamEntries> StreamEntries::find(const Manifest& manifest) {
  const FunctionType alloc_type{{ValueType::i32}, {ValueType::i32}};
  const std::vector<ValueType> poll_parameters{ValueType::i32, ValueType::i32};
  const ManifestExport* const alloc = manifest.find_function("alloc");
  const ManifestExport* const poll = manifest.find_function("poll_stream");
  if (alloc == nullptr || alloc->type != alloc_type) {
    return fail(ErrorKind::invalid_input, "no export alloc of type {}", to_string(alloc_type));
  }
  if (poll == nullptr || poll->type.parameters != poll_parameters) {
    return fail(ErrorKind::invalid_input, "no export poll_stream of type (i32, i32) -> ()");
  }
  return StreamEntries{alloc->entry, poll->entry, poll->type.results.size()};
}

NurStream::NurStream(const StreamEntries& entries, std::string_view input,
                     std::size_t output_bytes_max, OnLog on_log)
    : entries_(entries),
      input_(input),
      output_bytes_max_(output_bytes_max),
      on_log_(std::move(on_log)),
      results_(entries.poll_stream_results > parameters_.size() ? entries.poll_stream_results : 0),
      values_(results_.empty() ? std::span<nur_value>(parameters_) : results_) {}

NurStream::NurStream(const StreamEntries& entries, std::string_view input, StreamPeer& peer,
                     bool reads, OnLog on_log)
    : entries_(entries),
      input_(input),
      output_bytes_max_(0),
      peer_(&peer),
      reads_(reads),
      on_log_(std::move(on_log)),
      results_(entries.poll_stream_results > parameters_.size() ? entries.poll_stream_results : 0),
      values_(results_.empty() ? std::span<nur_value>(parameters_) : results_) {}

bool NurStream::read_chunk() {
  if (!read_) read_ = std::make_unique_for_overwrite<std::array<char, kReadBytes>>();
  const std::optional<std::size_t> count = peer_->read(*read_);
  if (!count) return false;
  input_ = std::string_view(read_->data(), *count);
  reads_ = *count > 0;
  return true;
}

std::expected<std::optional<Invocation::Call>, nur_trap> NurStream::next_call(
    const GuestMemory& memory) {
  const auto call = [this](std::uint32_t entry, std::uint32_t first, std::uint32_t second) {
    values_[0].i64 = first;
    values_[1].i64 = second;
    return Call{entry, values_, std::exchange(renews_limits_, false)};
  };
  if (ended_ || phase_ == Phase::finished) return std::nullopt;

  if (phase_ == Phase::offer_chunk) {
    if (input_.empty() && reads_ && !read_chunk()) return Call::wait_for_client();
    renews_limits_ = read_ != nullptr;
    if (input_.empty()) {
      phase_ = Phase::finished;
      return call(entries_.poll_stream, 0, 0);
    }
    chunk_bytes_ = std::min(input_.size(), kChunkBytesMax);
    phase_ = Phase::deliver_chunk;
    return call(entries_.alloc, static_cast<std::uint32_t>(chunk_bytes_), 0);
  }

  const std::uint32_t address = values_[0].i32;
  const auto buffer = memory.writable(address, chunk_bytes_);
  if (!buffer) return std::unexpected(NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  std::memcpy(buffer->data(), input_.data(), chunk_bytes_);
  input_.remove_prefix(chunk_bytes_);
  phase_ = Phase::offer_chunk;
  return call(entries_.poll_stream, address, static_cast<std::uint32_t>(chunk_bytes_));
}

HostReply NurStream::log(std::string_view text) {
  if (!ended_) on_log_(text);
  return HostReply::resume();
}

HostReply NurStream::send(std::string_view bytes) {
  if (ended_) return HostReply::resume();
  if (peer_ != nullptr) return send_to_peer(bytes);
  if (bytes.size() > output_bytes_max_ - output_.size()) {
    overflowed_ = true;
    return HostReply::trap(NUR_TRAP_HOST);
  }
  output_ += bytes;
  return HostReply::resume();
}

HostReply NurStream::send_to_peer(std::string_view bytes) {
  // Asked again behind a wait, it goes on where it was.
  while (true) {
    const std::string_view rest = bytes.substr(sent_);
    const std::size_t room = kHeldBytesMax - std::min(output_.size(), kHeldBytesMax);
    const std::size_t count = std::min(rest.size(), room);
    output_ += rest.substr(0, count);
    sent_ += count;
    if (sent_ == bytes.size()) break;
    switch (peer_->take(output_)) {
      case StreamPeer::Taken::all:
        break;
      case StreamPeer::Taken::later:
        return HostReply::wait_for_client();
      case StreamPeer::Taken::never:
        return HostReply::trap(NUR_TRAP_HOST);
    }
  }
  sent_ = 0;
  return HostReply::resume();
}

HostReply NurStream::end() {
  ended_ = true;
  return HostReply::resume();
}

}  // namespace nur
