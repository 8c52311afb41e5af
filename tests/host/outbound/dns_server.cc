#include "tests/host/outbound/dns_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "host/outbound/ip_address.h"

namespace nur::test {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr char kTypeA = 1;
constexpr char kTypeAaaa = 28;

std::string big_endian(unsigned value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>((value >> (8 * i)) & 0xff);
  return text;
}

}  // namespace

DnsServer::DnsServer(EventLoop& loop)
    : loop_(loop), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  const SocketAddress any = socket_address(*parse_ip("127.0.0.1"), 0);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.bytes) != 0 ||
      !loop_.watch(socket_.get(), EPOLLIN, *this)) {
    std::abort();
  }
}

DnsServer::~DnsServer() { loop_.unwatch(socket_.get(), *this); }

void DnsServer::set(const std::string& name, std::vector<Reply> replies) {
  replies_[name] = std::move(replies);
}

std::string DnsServer::address() const {
  SocketAddress address;
  address.bytes = sizeof address.storage;
  ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.bytes);
  return to_string(address);
}

int DnsServer::asked(const std::string& name) const {
  const auto found = asked_.find(name);
  return found == asked_.end() ? 0 : found->second;
}

int DnsServer::asked() const {
  int sum = 0;
  for (const auto& [name, count] : asked_) sum += count;
  return sum;
}

void DnsServer::on_events(std::uint32_t /*events*/) {
  char bytes[1024];
  sockaddr_storage from{};
  socklen_t from_bytes = sizeof from;
  const ssize_t length = ::recvfrom(socket_.get(), bytes, sizeof bytes, 0,
                                    reinterpret_cast<sockaddr*>(&from), &from_bytes);
  if (length < static_cast<ssize_t>(kHeaderBytes)) return;
  const std::string reply = answer(std::string(bytes, static_cast<std::size_t>(length)));
  if (reply.empty()) return;
  ::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from),
           from_bytes);
}

std::string DnsServer::answer(const std::string& query) {
  std::string name;
  std::size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) {
    const auto label = static_cast<std::size_t>(query[at]);
    if (!name.empty()) name += '.';
    name += query.substr(at + 1, label);
    at += label + 1;
  }
  const std::size_t question_end = at + 5;
  if (question_end > query.size()) return {};
  const char type = query[at + 2];
  std::string question = query.substr(kHeaderBytes, question_end - kHeaderBytes);

  std::vector<Reply>& replies = replies_[name];
  const int count = asked_[name];
  if (type == kTypeA) ++asked_[name];
  if (replies.empty()) replies.push_back({Reply::Kind::no_such_name, {}, 0});
  const Reply& reply =
      replies[std::min<std::size_t>(static_cast<std::size_t>(count), replies.size() - 1)];

  std::string id = query.substr(0, 2);
  unsigned code = 0;
  std::string records;
  unsigned record_count = 0;
  switch (reply.kind) {
    case Reply::Kind::silence:
      return {};
    case Reply::Kind::junk:
      return id + std::string("\x81\x80\0\1\xff\xff\xff\xff\0\0", 10) + std::string(200, '\xc0');
    case Reply::Kind::no_such_name:
      code = 3;
      break;
    case Reply::Kind::server_failure:
      code = 2;
      break;
    case Reply::Kind::wrong_id:
      id[0] = static_cast<char>(id[0] ^ 0x55);
      break;
    case Reply::Kind::wrong_name:
      question[1] = question[1] == 'x' ? 'y' : 'x';
      break;
    case Reply::Kind::addresses:
      break;
  }
  for (const std::string& text : reply.addresses) {
    const IpAddress address = *parse_ip(text);
    if (address.is_v4() != (type == kTypeA) || (type != kTypeA && type != kTypeAaaa)) continue;
    const std::size_t from = address.is_v4() ? 12 : 0;
    records += std::string("\xc0\x0c\0", 3) + type + std::string("\0\1", 2) +
               big_endian(reply.ttl, 4) + big_endian(static_cast<unsigned>(16 - from), 2);
    records.append(reinterpret_cast<const char*>(address.bytes.data()) + from, 16 - from);
    ++record_count;
  }
  return id + '\x81' + static_cast<char>(0x80 | code) + big_endian(1, 2) +
         big_endian(record_count, 2) + big_endian(0, 4) + question + records;
}

}  // namespace nur::test
