// The key-value store. Every call parks the guest until the store has replied.
#include <algorithm>

#include "host/abi/handle/calls.h"

namespace nur::handle {
namespace {

using Kind = KvRequest::Kind;

// The reply to the call that the guest is in, or why it waits. Asked a second time, `request` is
// not: what the guest has said is with the store already.
struct Asked {
  std::optional<KvReply> reply;
  HostReply wait{};
};

template <class MakeRequest>
Asked ask(HandleCall& call, MakeRequest make_request) {
  const HandleServices& services = call.services();
  if (services.kv == nullptr) return {KvReply{.code = number_of(Failure::denied)}};
  std::unique_ptr<KvClient::Call>& pending = call.kv_call();
  if (pending == nullptr) {
    KvRequest request = make_request();
    request.space = services.space;
    pending =
        services.kv->start(std::move(request), [waker = services.guest->waker()] { waker.wake(); });
  }
  if (pending->reply() == nullptr) return {std::nullopt, HostReply::wait()};
  const std::unique_ptr<KvClient::Call> done = std::move(pending);
  return {*done->reply()};
}

std::int64_t long_in(const nur_value& value) { return static_cast<std::int64_t>(value.i64); }

bool is_key(std::string_view key) { return !key.empty() && key.size() <= kKvKeyBytesMax; }

}  // namespace

HostReply kv_get(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto key = text_at(memory, values, 0);
  const std::uint64_t room = values[3].i64;
  if (!key || (room > 0 && !memory.range(values[2].i32, room))) return outside();
  if (!is_key(*key)) return answer_long(values, number_of(Failure::argument));
  const Asked asked =
      ask(call, [&] { return KvRequest{.kind = Kind::get, .key = std::string(*key)}; });
  if (!asked.reply) return asked.wait;
  if (asked.reply->code < 0) return answer_long(values, asked.reply->code);
  return give_text(memory, values, 2, asked.reply->bytes);
}

HostReply kv_set(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto key = text_at(memory, values, 0);
  const auto value = text_at(memory, values, 2);
  const std::int64_t lifetime = long_in(values[4]);
  if (!key || !value) return outside();
  if (!is_key(*key) || lifetime < 0) return answer(values, number_of(Failure::argument));
  if (value->size() > kKvValueBytesMax) return answer(values, number_of(Failure::limit));
  const Asked asked = ask(call, [&] {
    return KvRequest{.kind = Kind::set,
                     .lifetime_ms = lifetime,
                     .key = std::string(*key),
                     .value = std::string(*value)};
  });
  if (!asked.reply) return asked.wait;
  return answer(values, static_cast<std::int32_t>(asked.reply->code));
}

HostReply kv_delete(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto key = text_at(memory, values, 0);
  if (!key) return outside();
  if (!is_key(*key)) return answer(values, number_of(Failure::argument));
  const Asked asked =
      ask(call, [&] { return KvRequest{.kind = Kind::remove, .key = std::string(*key)}; });
  if (!asked.reply) return asked.wait;
  return answer(values, static_cast<std::int32_t>(asked.reply->code));
}

HostReply kv_increment(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto key = text_at(memory, values, 0);
  const std::int64_t lifetime = long_in(values[3]);
  const std::uint32_t result = values[4].i32;
  if (!key || !memory.range(result, sizeof(std::int64_t))) return outside();
  if (!is_key(*key) || lifetime < 0) return answer(values, number_of(Failure::argument));
  const Asked asked = ask(call, [&] {
    return KvRequest{.kind = Kind::increment,
                     .number = long_in(values[2]),
                     .lifetime_ms = lifetime,
                     .key = std::string(*key)};
  });
  if (!asked.reply) return asked.wait;
  if (asked.reply->code == 0 && !memory.write(result, asked.reply->number)) {
    return HostReply::trap(NUR_TRAP_HOST);
  }
  return answer(values, static_cast<std::int32_t>(asked.reply->code));
}

HostReply kv_list(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto prefix = text_at(memory, values, 0);
  const auto after = text_at(memory, values, 2);
  const std::uint64_t room = values[5].i64;
  if (!prefix || !after || (room > 0 && !memory.range(values[4].i32, room))) return outside();
  if (prefix->size() > kKvKeyBytesMax || after->size() > kKvKeyBytesMax) {
    return answer_long(values, number_of(Failure::argument));
  }
  const Asked asked = ask(call, [&] {
    return KvRequest{
        .kind = Kind::list,
        .number = static_cast<std::int64_t>(std::min<std::uint64_t>(room, kKvListBytesMax)),
        .key = std::string(*prefix),
        .value = std::string(*after)};
  });
  if (!asked.reply) return asked.wait;
  if (asked.reply->code < 0) return answer_long(values, asked.reply->code);
  return give_text(memory, values, 4, asked.reply->bytes);
}

}  // namespace nur::handle
