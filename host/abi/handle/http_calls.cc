// HTTP requests to elsewhere. What takes time parks the guest.
#include <algorithm>
#include <cstring>

#include "host/abi/handle/calls.h"

namespace nur::handle {
namespace {

// Of one http_read: a copy of this size is taken before it is known how much there is.
constexpr std::size_t kPieceBytesMax = std::size_t{64} << 10;

HttpFetch* fetch_of(HandleCall& call, const nur_value& handle) {
  return call.fetches().find(static_cast<std::int32_t>(handle.i32));
}

std::int32_t number_of(FetchFailure failure) { return static_cast<std::int32_t>(failure); }

}  // namespace

HostReply http_open(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto method = text_at(memory, values, 0);
  const auto url = text_at(memory, values, 2);
  const auto headers = text_at(memory, values, 4);
  const auto body = text_at(memory, values, 6);
  const auto timeout = static_cast<std::int64_t>(values[8].i64);
  if (!method || !url || !headers || !body) return outside();
  const HandleServices& services = call.services();
  if (services.http == nullptr || services.http_pool == nullptr || services.policy == nullptr) {
    return answer(values, handle::number_of(Failure::denied));
  }
  if (timeout < 0) return answer(values, handle::number_of(Failure::argument));
  HandleFetches& fetches = call.fetches();
  if (fetches.opening == nullptr) {
    if (fetches.is_full()) return answer(values, handle::number_of(Failure::limit));
    // Longer than a day is for ever.
    const Milliseconds longest = std::chrono::hours(24);
    fetches.opening = services.http->start(
        *services.http_pool, *services.policy,
        {.method = *method,
         .url = *url,
         .headers = *headers,
         .body = *body,
         .timeout = std::min(longest, Milliseconds(std::min<std::int64_t>(timeout, 1 << 30)))},
        [waker = services.guest->waker()] { waker.wake(); });
  }
  // A response that has broken off since is one all the same: http_read says so at its end.
  if (fetches.opening->has_head()) return answer(values, fetches.keep_opened());
  const std::optional<FetchFailure> failure = fetches.opening->failure();
  if (!failure) return HostReply::wait();
  fetches.opening.reset();
  return answer(values, number_of(*failure));
}

HostReply http_status(HandleCall& call, const GuestMemory&, nur_value* values) {
  const HttpFetch* const fetch = fetch_of(call, values[0]);
  return answer(values, fetch ? fetch->status() : handle::number_of(Failure::argument));
}

HostReply http_header(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto name = text_at(memory, values, 1);
  if (!name) return outside();
  const HttpFetch* const fetch = fetch_of(call, values[0]);
  if (fetch == nullptr) return answer_long(values, handle::number_of(Failure::argument));
  std::string joined;
  bool found = false;
  for (const Header& header : fetch->headers()) {
    if (!equal_ignoring_case(header.name, *name)) continue;
    if (found) joined += ", ";
    joined += header.value;
    found = true;
  }
  if (!found) return answer_long(values, handle::number_of(Failure::absent));
  return give_text(memory, values, 3, joined);
}

HostReply http_headers(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const HttpFetch* const fetch = fetch_of(call, values[0]);
  if (fetch == nullptr) return answer_long(values, handle::number_of(Failure::argument));
  std::string lines;
  for (const Header& header : fetch->headers()) {
    lines.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  return give_text(memory, values, 1, lines);
}

HostReply http_read(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const std::uint32_t address = values[1].i32;
  const std::uint64_t room = values[2].i64;
  if (room > 0 && !memory.range(address, room)) return outside();
  HttpFetch* const fetch = fetch_of(call, values[0]);
  if (fetch == nullptr) return answer_long(values, handle::number_of(Failure::argument));
  char piece[kPieceBytesMax];
  const std::size_t wanted = std::min<std::uint64_t>(room, sizeof piece);
  const std::optional<std::int64_t> got = fetch->read(std::span(piece, wanted));
  if (!got) return HostReply::wait();
  if (*got > 0) {
    const auto bytes = static_cast<std::size_t>(*got);
    const auto place = memory.writable(address, bytes);
    if (!place) return HostReply::trap(NUR_TRAP_HOST);
    std::memcpy(place->data(), piece, bytes);
  }
  return answer_long(values, *got);
}

HostReply http_close(HandleCall& call, const GuestMemory&, nur_value* values) {
  const bool closed = call.fetches().close(static_cast<std::int32_t>(values[0].i32));
  return answer(values, closed ? 0 : handle::number_of(Failure::argument));
}

}  // namespace nur::handle
