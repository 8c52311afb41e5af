// What a worker asks the key-value store, and what that answers, as bytes of one stream.
//
//   request: length of the rest (4 bytes), id (8), kind (1), number (8), lifetime (8),
//            space (2 + n), key (4 + n), value (what is left)
//
//   reply:   length of the rest (4 bytes), id (8), code (8), number (8), bytes (what is left)
//
// Integers are little-endian. Replies of one namespace come in the order of its requests, those of
// others in any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nur {

inline constexpr std::size_t kKvKeyBytesMax = 512;
inline constexpr std::size_t kKvValueBytesMax = std::size_t{1} << 20;
// Of the keys that one kv_list returns, and how many it looks at.
inline constexpr std::size_t kKvListBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kKvListKeysMax = 1000;
inline constexpr std::size_t kKvSpaceBytesMax = 4096;

// The codes of the standard API.
enum class KvCode : std::int64_t {
  ok = 0,
  absent = -1,    // or failed
  limit = -2,     // the namespace is full, or the value too long
  argument = -4,  // key, number or value make no sense
  // Never sent: a list has met as many keys as it looks at, and all had outlived their lifetime.
  // It goes on behind the key that is in the reply's bytes.
  unfinished = -100,
};

struct KvRequest {
  enum class Kind : std::uint8_t { get = 1, set, remove, increment, list };
  std::uint64_t id = 0;
  Kind kind = Kind::get;
  std::int64_t number = 0;       // increment: by how much; list: bytes there is room for
  std::int64_t lifetime_ms = 0;  // 0: for ever
  std::string space{};           // namespace
  std::string key{};             // list: prefix
  std::string value{};           // list: the key to begin behind
  bool operator==(const KvRequest&) const = default;
};

// code: of get and list the bytes there are, of remove 1 or 0, of set and increment 0; or a KvCode.
struct KvReply {
  std::uint64_t id = 0;
  std::int64_t code = 0;
  std::int64_t number = 0;  // increment: the new value
  std::string bytes{};      // get: value; list: keys, each behind its length of 4 bytes
  bool operator==(const KvReply&) const = default;
};

void append(std::string& to, const KvRequest& request);
void append(std::string& to, const KvReply& reply);

// Takes what is complete off the front of a stream, piece by piece.
template <class Message>
class KvStream {
 public:
  void feed(std::string_view bytes) { buffer_ += bytes; }
  // nullopt: there is no whole one yet. Once is_broken(), nothing comes any more.
  std::optional<Message> next();
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  std::string buffer_;  // one message and what one read adds, at most
  std::size_t at_ = 0;
  bool broken_ = false;
};

extern template class KvStream<KvRequest>;
extern template class KvStream<KvReply>;

}  // namespace nur
