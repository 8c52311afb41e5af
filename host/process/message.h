// What master and worker say to each other over their socket pair, one message a datagram.
//
//   master -> worker   deploy (with the sealed file) ... store ... serve ... drain | stop
//                      (behind a deploy of a new version, one of the last, in case it is refused)
//   worker -> master   refused ... ready
//   master -> store    store, once per worker
//   store  -> master   ready | refused
//   master -> upload   drain
//   upload -> master   ready | refused
//
//   [ kind: 1 byte | numbers, little-endian | texts, each behind its length of 4 bytes ]
//
// Both ends are the same program, forked; the decoder still believes nothing, because a worker runs
// the code of strangers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "host/artefact/verified_artefact.h"

namespace nur {

// Longest message: a socket pair takes it whole with the kernel's default buffers.
inline constexpr std::size_t kMessageBytesMax = std::size_t{16} << 10;
// Longest text in one; longer ones are cut when they are sent.
inline constexpr std::size_t kMessageTextBytesMax = 4096;

// Load this function. Comes with one descriptor, the sealed memory file, and with a second one when
// the worker shall leave the function's profile there at its end. Where a function of that name is
// loaded already, this one is not needed.
struct DeployMessage {
  std::uint32_t number = 0;
  std::string name;
  std::string file_name;
  ArtefactFacts facts;
  bool wants_profile = false;
  bool operator==(const DeployMessage&) const = default;
};
// That was all: begin to accept.
struct ServeMessage {
  bool operator==(const ServeMessage&) const = default;
};
// Accept no more, finish what is in flight, end. Connections without a request are kept for so
// long, so that one that is on its way is answered.
struct DrainMessage {
  std::uint32_t idle_milliseconds = 0;
  bool operator==(const DrainMessage&) const = default;
};
// End now.
struct StopMessage {
  bool operator==(const StopMessage&) const = default;
};
// The key-value store is behind this stream socket, the only descriptor that comes with it: to a
// worker its own end, to the store the other one. Comes again when the store was started anew.
struct StoreMessage {
  bool operator==(const StoreMessage&) const = default;
};
// This function cannot be served; of the store: the database cannot be opened;
// of the process of uploads: it cannot take any.
struct RefusedMessage {
  std::uint32_t number = 0;
  std::string reason;
  bool operator==(const RefusedMessage&) const = default;
};
// From here on requests are answered.
struct ReadyMessage {
  bool operator==(const ReadyMessage&) const = default;
};

using Message = std::variant<DeployMessage, ServeMessage, DrainMessage, StopMessage, RefusedMessage,
                             ReadyMessage, StoreMessage>;

std::string encode(const Message& message);

// Errors: invalid_input when the bytes are no message, or more than one.
Result<Message> decode_message(std::string_view bytes);

// How many descriptors come with a message.
std::size_t descriptors_of(const Message& message);

}  // namespace nur
