#include "host/abi/handle/handle_call.h"

#include <charconv>
#include <utility>

#include "base/units.h"
#include "host/net/http_response.h"

namespace nur {
namespace {

// So much more than Exchange::kUnsentBytesMax is held for a slow client, at most.
constexpr std::size_t kPieceBytesMax = std::size_t{64} << 10;
// A client that takes all at once is written to for so long; then others have their turn.
constexpr std::size_t kTurnBytesMax = std::size_t{1} << 20;

// What the guest says of the length of its answer, if that is a number.
std::optional<std::uint64_t> length_of(const std::vector<Header>& headers) {
  for (const Header& header : headers) {
    if (!equal_ignoring_case(header.name, "content-length")) continue;
    std::uint64_t length = 0;
    const char* const end = header.value.data() + header.value.size();
    const auto parsed = std::from_chars(header.value.data(), end, length);
    if (parsed.ec == std::errc() && parsed.ptr == end) return length;
  }
  return std::nullopt;
}

Response head_of(const HandleResponse& set) {
  Response head;
  head.status = set.status.value_or(200);
  head.reason = set.reason;
  head.headers = set.headers;
  return head;
}

}  // namespace

std::expected<std::optional<Invocation::Call>, nur_trap> HandleCall::next_call(const GuestMemory&) {
  const std::optional<std::uint32_t> initialize = setting_.entries.initialize();
  const std::uint32_t step = calls_begun_++ + (initialize ? 0 : 1);
  if (step > 1) return std::nullopt;
  return Call{step == 0 ? *initialize : setting_.target.entry, std::span(&unused_, 1)};
}

TcpSockets* HandleCall::sockets() {
  if (!sockets_ && setting_.network) sockets_.emplace(*setting_.network);
  return sockets_ ? &*sockets_ : nullptr;
}

HostReply HandleCall::refuse(std::string reason) {
  refused_ = std::move(reason);
  return HostReply::trap(NUR_TRAP_HOST);
}

HostReply HandleCall::set_status(std::uint32_t status, std::string_view reason) {
  if (reason.size() > kResponseHeadBytesMax) {
    return refuse(fmt::format("the function set a reason of more than {}",
                              format_size(kResponseHeadBytesMax)));
  }
  response_.status = static_cast<std::uint16_t>(status);
  response_.reason = reason;
  return HostReply::resume();
}

HostReply HandleCall::add_header(std::string_view name, std::string_view value) {
  if (response_.headers.size() >= kResponseHeadersMax) {
    return refuse(fmt::format("the function set more than {} headers", kResponseHeadersMax));
  }
  if (name.size() + value.size() > kResponseHeadBytesMax - head_bytes_) {
    return refuse(fmt::format("the function set headers of more than {}",
                              format_size(kResponseHeadBytesMax)));
  }
  head_bytes_ += name.size() + value.size();
  response_.headers.push_back({std::string(name), std::string(value)});
  return HostReply::resume();
}

HostReply HandleCall::set_body(std::string_view bytes) {
  if (bytes.size() > setting_.output_bytes_max) {
    return refuse(
        fmt::format("the function sent more than {}", format_size(setting_.output_bytes_max)));
  }
  response_.body = bytes;
  return HostReply::resume();
}

HostReply HandleCall::wait_for_client() {
  if (watcher_ == nullptr) {
    watcher_ = std::make_unique<Watcher>();
    watcher_->waker = setting_.services.guest->waker();
  }
  setting_.services.exchange->watch(watcher_.get());
  return HostReply::wait_for_client();
}

HostReply HandleCall::wait_for_room() {
  const bool has_room = setting_.services.exchange->has_room();
  return has_room ? HostReply::wait(TimePoint{}) : wait_for_client();
}

std::optional<std::int64_t> HandleCall::write(std::string_view bytes) {
  Exchange* const exchange = setting_.services.exchange;
  if (exchange == nullptr) {
    // On the command line all of the answer is printed at the end.
    std::string& body = response_.body ? *response_.body : response_.body.emplace();
    if (bytes.size() >
        setting_.output_bytes_max - std::min(body.size(), setting_.output_bytes_max)) {
      return -1;
    }
    body += bytes;
    return static_cast<std::int64_t>(bytes.size());
  }
  if (exchange->client_gone()) return -1;
  if (!has_written_) {
    const std::optional<std::uint64_t> length = length_of(response_.headers);
    const Result<void> begun = exchange->begin(head_of(response_), length);
    if (!begun) return -1;
    has_written_ = true;
  }
  const std::size_t end_of_turn = written_ + kTurnBytesMax;
  while (written_ < bytes.size()) {
    if (!exchange->has_room() || written_ >= end_of_turn) return std::nullopt;
    const std::string_view piece = bytes.substr(written_, kPieceBytesMax);
    exchange->write(piece);
    written_ += piece.size();
  }
  return static_cast<std::int64_t>(std::exchange(written_, 0));
}

}  // namespace nur
