#include "host/process/channel.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/check.h"
#include "base/file.h"

namespace nur {
namespace {

constexpr std::size_t kDescriptorsMax = 2;

// Room for the control message that carries them, aligned as the kernel wants it.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(kDescriptorsMax * sizeof(int))];
};

std::vector<Fd> descriptors_in(msghdr& header) {
  std::vector<Fd> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      descriptors.emplace_back(number);
    }
  }
  return descriptors;
}

}  // namespace

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating a socket pair"));
  }
  return std::pair(Channel(Fd(ends[0])), Channel(Fd(ends[1])));
}

Channel::Sent Channel::send(const Message& message, std::initializer_list<int> descriptors) {
  return send(message, descriptors, MSG_DONTWAIT);
}

Channel::Sent Channel::send_waiting(const Message& message) { return send(message, {}, 0); }

Channel::Sent Channel::send(const Message& message, std::initializer_list<int> descriptors,
                            int flags) {
  NUR_CHECK(descriptors.size() == descriptors_of(message));
  std::string bytes = encode(message);
  NUR_CHECK(bytes.size() <= kMessageBytesMax);
  iovec part{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Control control{};
  if (descriptors.size() > 0) {
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors.begin(), descriptors.size() * sizeof(int));
  }
  while (::sendmsg(socket_.get(), &header, flags | MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    // ETOOMANYREFS: descriptors under way are counted, too; they get fewer as the peer reads.
    const bool later =
        errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS;
    return later ? Sent::no_room : Sent::peer_gone;
  }
  return Sent::yes;
}

Result<std::optional<Channel::Received>> Channel::receive() { return receive(MSG_DONTWAIT); }

Result<Channel::Received> Channel::receive_waiting() {
  while (true) {
    std::optional<Received> received = NUR_TRY(receive(0));
    if (received) return *std::move(received);
  }
}

Result<std::optional<Channel::Received>> Channel::receive(int flags) {
  std::string bytes(kMessageBytesMax, '\0');
  iovec part{bytes.data(), bytes.size()};
  Control control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  const ssize_t got = ::recvmsg(socket_.get(), &header, flags | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<Received>();
  if (got <= 0) return fail(ErrorKind::not_found, "the other process has gone");

  // First of all they are ours to close.
  std::vector<Fd> descriptors = descriptors_in(header);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return fail(ErrorKind::invalid_input, "a message that is too long");
  }
  bytes.resize(static_cast<std::size_t>(got));
  Message message = NUR_TRY(decode_message(bytes));
  if (descriptors.size() != descriptors_of(message)) {
    return fail(ErrorKind::invalid_input, "a message with {} descriptors instead of {}",
                descriptors.size(), descriptors_of(message));
  }
  return std::optional(Received{std::move(message), std::move(descriptors)});
}

}  // namespace nur
