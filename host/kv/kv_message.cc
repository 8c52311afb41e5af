#include "host/kv/kv_message.h"

#include <cstring>

#include "base/bytes.h"

namespace nur {
namespace {

// Of one message, with room for its numbers.
constexpr std::size_t kMessageBytesMax =
    kKvValueBytesMax + kKvListBytesMax + kKvKeyBytesMax + kKvSpaceBytesMax + 64;

template <class T>
void number(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof bytes);
}

// The length in front is known at the end.
class Frame {
 public:
  explicit Frame(std::string& to) : to_(to), begin_(to.size()) { number(to, std::uint32_t{0}); }
  ~Frame() {
    const auto length = static_cast<std::uint32_t>(to_.size() - begin_ - sizeof(std::uint32_t));
    std::memcpy(to_.data() + begin_, &length, sizeof length);
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

 private:
  std::string& to_;
  const std::size_t begin_;
};

bool read(std::string_view bytes, KvRequest& request) {
  ByteReader reader(bytes);
  const auto id = reader.little_endian<std::uint64_t>();
  const auto kind = reader.byte();
  const auto count = reader.little_endian<std::int64_t>();
  const auto lifetime = reader.little_endian<std::int64_t>();
  const auto space_bytes = reader.little_endian<std::uint16_t>();
  const auto space = reader.take(space_bytes.value_or(0));
  const auto key_bytes = reader.little_endian<std::uint32_t>();
  const auto key = reader.take(key_bytes.value_or(0));
  if (!id || !kind || !count || !lifetime || !space_bytes || !space || !key_bytes || !key) {
    return false;
  }
  if (*kind < static_cast<std::uint8_t>(KvRequest::Kind::get) ||
      *kind > static_cast<std::uint8_t>(KvRequest::Kind::list)) {
    return false;
  }
  request = {.id = *id,
             .kind = static_cast<KvRequest::Kind>(*kind),
             .number = *count,
             .lifetime_ms = *lifetime,
             .space = std::string(*space),
             .key = std::string(*key),
             .value = std::string(*reader.take(reader.remaining()))};
  return true;
}

bool read(std::string_view bytes, KvReply& reply) {
  ByteReader reader(bytes);
  const auto id = reader.little_endian<std::uint64_t>();
  const auto code = reader.little_endian<std::int64_t>();
  const auto count = reader.little_endian<std::int64_t>();
  if (!id || !code || !count) return false;
  reply = {.id = *id,
           .code = *code,
           .number = *count,
           .bytes = std::string(*reader.take(reader.remaining()))};
  return true;
}

}  // namespace

void append(std::string& to, const KvRequest& request) {
  const Frame frame(to);
  number(to, request.id);
  number(to, static_cast<std::uint8_t>(request.kind));
  number(to, request.number);
  number(to, request.lifetime_ms);
  const std::string_view space = std::string_view(request.space).substr(0, kKvSpaceBytesMax);
  number(to, static_cast<std::uint16_t>(space.size()));
  to += space;
  number(to, static_cast<std::uint32_t>(request.key.size()));
  to += request.key;
  to += request.value;
}

void append(std::string& to, const KvReply& reply) {
  const Frame frame(to);
  number(to, reply.id);
  number(to, reply.code);
  number(to, reply.number);
  to += reply.bytes;
}

template <class Message>
std::optional<Message> KvStream<Message>::next() {
  std::uint32_t length = 0;
  const std::size_t there = buffer_.size() - at_;
  if (there >= sizeof length) std::memcpy(&length, buffer_.data() + at_, sizeof length);
  broken_ = broken_ || length > kMessageBytesMax;
  if (broken_ || there < sizeof length || there - sizeof length < length) {
    // What was taken is let go of once per read, not once per message.
    buffer_.erase(0, at_);
    at_ = 0;
    return std::nullopt;
  }
  Message message;
  if (!read(std::string_view(buffer_).substr(at_ + sizeof length, length), message)) {
    broken_ = true;
    return std::nullopt;
  }
  at_ += sizeof length + length;
  return message;
}

template class KvStream<KvRequest>;
template class KvStream<KvReply>;

}  // namespace nur
