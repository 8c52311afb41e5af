// The names that this machine itself knows (hosts(5)), read once, at start.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "host/outbound/ip_address.h"

namespace nur {

class HostsFile {
 public:
  // Knows "localhost" whatever the text says: 127.0.0.1 and ::1. Lines that make no sense are
  // skipped, as other programs do.
  static HostsFile parse(std::string_view text);
  // Of a file that is not there or cannot be read, only "localhost".
  static HostsFile read(const Path& path);

  // In the order of the file; empty when the name is not known here. `name` is in lower case.
  [[nodiscard]] std::vector<IpAddress> find(std::string_view name) const;

 private:
  std::map<std::string, std::vector<IpAddress>, std::less<>> names_;
};

}  // namespace nur
