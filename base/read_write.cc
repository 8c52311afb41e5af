#include "base/read_write.h"

#include <sys/uio.h>

namespace nur {

ssize_t read_some(int fd, std::span<char> into, std::int64_t offset) {
  const iovec part = {into.data(), into.size()};
  return ::preadv2(fd, &part, 1, offset, 0);
}

ssize_t write_some(int fd, std::string_view bytes, std::int64_t offset) {
  const iovec part = {const_cast<char*>(bytes.data()), bytes.size()};  // only read there
  return ::pwritev2(fd, &part, 1, offset, 0);
}

}  // namespace nur
