// A WASI command: Markdown on standard input, HTML on standard output, as a CGI program for
// requests.
#include <cstdlib>
#include <unistd.h>

#include "markdown.h"

namespace {

constexpr size_t kInputBytesMax = 1 << 20;

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

int main() {
  std::string input;
  for (;;) {
    char chunk[16384];
    const ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
    if (got < 0) {
      return 1;
    }
    if (got == 0) {
      break;
    }
    input.append(chunk, static_cast<size_t>(got));
    if (input.size() > kInputBytesMax) {
      return write_all(
                 "Status: 413 Content Too Large\nContent-Type: text/plain\n\nmore than 1 MiB\n")
                 ? 0
                 : 1;
    }
  }
  const std::string html = markdown::to_html(input);
  const bool cgi = std::getenv("REQUEST_METHOD") != nullptr;
  return write_all(cgi ? "Content-Type: text/html; charset=utf-8\n\n" : "") && write_all(html) ? 0
                                                                                               : 1;
}
