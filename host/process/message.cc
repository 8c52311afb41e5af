#include "host/process/message.h"

#include <concepts>
#include <cstring>
#include <optional>

#include "base/bytes.h"

namespace nur {
namespace {

enum class Kind : std::uint8_t { deploy = 1, serve, drain, stop, refused, ready, store };

class Writer {
 public:
  explicit Writer(Kind kind) { number(static_cast<std::uint8_t>(kind)); }
  template <std::unsigned_integral T>
  void number(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    bytes_.append(bytes, sizeof bytes);
  }
  void text(std::string_view text) {
    text = text.substr(0, kMessageTextBytesMax);
    number(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads as long as all is well, and remembers when it is not.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <std::unsigned_integral T>
  T number() {
    const std::optional<T> value = bytes_.little_endian<T>();
    good_ = good_ && value;
    return value.value_or(T{});
  }
  bool flag() {
    const auto value = number<std::uint8_t>();
    good_ = good_ && value <= 1;
    return value == 1;
  }
  std::string text() {
    const auto length = number<std::uint32_t>();
    const std::optional<std::string_view> text =
        length <= kMessageTextBytesMax ? bytes_.take(length) : std::nullopt;
    good_ = good_ && text;
    return std::string(text.value_or(""));
  }
  [[nodiscard]] bool ended_well() const { return good_ && bytes_.at_end(); }

 private:
  ByteReader bytes_;
  bool good_ = true;
};

std::string encoded(const DeployMessage& message) {
  Writer writer(Kind::deploy);
  writer.number(message.number);
  writer.number(static_cast<std::uint8_t>(message.wants_profile));
  const ArtefactFacts& facts = message.facts;
  for (const std::uint64_t fact : {facts.file_bytes, facts.text_begin, facts.text_end,
                                   facts.load_end, facts.manifest_offset, facts.manifest_bytes}) {
    writer.number(fact);
  }
  writer.text(message.name);
  writer.text(message.file_name);
  return writer.take();
}
std::string encoded(const ServeMessage&) { return Writer(Kind::serve).take(); }
std::string encoded(const DrainMessage& message) {
  Writer writer(Kind::drain);
  writer.number(message.idle_milliseconds);
  return writer.take();
}
std::string encoded(const StopMessage&) { return Writer(Kind::stop).take(); }
std::string encoded(const RefusedMessage& message) {
  Writer writer(Kind::refused);
  writer.number(message.number);
  writer.text(message.reason);
  return writer.take();
}
std::string encoded(const ReadyMessage&) { return Writer(Kind::ready).take(); }
std::string encoded(const StoreMessage&) { return Writer(Kind::store).take(); }

DeployMessage read_deploy(Reader& reader) {
  DeployMessage message;
  message.number = reader.number<std::uint32_t>();
  message.wants_profile = reader.flag();
  ArtefactFacts& facts = message.facts;
  for (std::uint64_t* const fact :
       {&facts.file_bytes, &facts.text_begin, &facts.text_end, &facts.load_end,
        &facts.manifest_offset, &facts.manifest_bytes}) {
    *fact = reader.number<std::uint64_t>();
  }
  message.name = reader.text();
  message.file_name = reader.text();
  return message;
}

RefusedMessage read_refused(Reader& reader) {
  RefusedMessage message;
  message.number = reader.number<std::uint32_t>();
  message.reason = reader.text();
  return message;
}

std::optional<Message> read_message(Reader& reader) {
  switch (static_cast<Kind>(reader.number<std::uint8_t>())) {
    case Kind::deploy:
      return read_deploy(reader);
    case Kind::serve:
      return ServeMessage{};
    case Kind::drain:
      return DrainMessage{reader.number<std::uint32_t>()};
    case Kind::stop:
      return StopMessage{};
    case Kind::refused:
      return read_refused(reader);
    case Kind::ready:
      return ReadyMessage{};
    case Kind::store:
      return StoreMessage{};
  }
  return std::nullopt;
}

}  // namespace

std::string encode(const Message& message) {
  return std::visit([](const auto& kind) { return encoded(kind); }, message);
}

Result<Message> decode_message(std::string_view bytes) {
  Reader reader(bytes);
  std::optional<Message> message = read_message(reader);
  if (!message || !reader.ended_well()) {
    return fail(ErrorKind::invalid_input, "{} bytes that are no message", bytes.size());
  }
  return *std::move(message);
}

std::size_t descriptors_of(const Message& message) {
  if (std::holds_alternative<StoreMessage>(message)) return 1;
  const auto* const deploy = std::get_if<DeployMessage>(&message);
  if (deploy == nullptr) return 0;
  return deploy->wants_profile ? 2 : 1;
}

}  // namespace nur
