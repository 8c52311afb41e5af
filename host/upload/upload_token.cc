#include "host/upload/upload_token.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

namespace nur {
namespace {

constexpr std::string_view kMakeOne =
    "make one with: (umask 077; head -c 32 /dev/urandom | base64 > FILE)";
constexpr std::string_view kScheme = "bearer ";

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

// Looks at every byte, whatever it finds.
bool equal_in_constant_time(const Sha256& a, const Sha256& b) {
  volatile std::uint8_t differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing = differing | (a[i] ^ b[i]);
  return differing == 0;
}

}  // namespace

Result<UploadToken> UploadToken::of(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  if (text.size() < kBytesMin || text.size() > kBytesMax) {
    return fail(ErrorKind::invalid_input, "a token of {} to {} characters is needed; {}", kBytesMin,
                kBytesMax, kMakeOne);
  }
  if (!std::ranges::all_of(text, is_visible)) {
    return fail(ErrorKind::invalid_input,
                "a token is one word of visible ASCII characters, which a header can hold; {}",
                kMakeOne);
  }
  return UploadToken(sha256(text));
}

Result<UploadToken> UploadToken::read(const Path& file) {
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.is_open()) {
    const ErrorKind kind = kind_of_errno(errno);
    return fail(kind, "{}; {}", system_error_text("opening " + file.string()), kMakeOne);
  }
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(ErrorKind::invalid_input, "{}: not a regular file", file.string());
  }
  if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return fail(ErrorKind::invalid_input,
                "{}: others may read or change the token, and then run code here; chmod 600 {}",
                file.string(), file.string());
  }
  // With room for an end of line, and for a byte that tells that there are more.
  std::string text(kBytesMax + 4, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::read(opened.get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return fail(ErrorKind::internal, "{}", system_error_text("reading " + file.string()));
    }
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  const Result<UploadToken> token =
      in_context(of(std::string_view(text).substr(0, filled)), file.string());
  ::explicit_bzero(text.data(), text.size());
  return token;
}

UploadToken::Check UploadToken::check(const Request& request) const {
  const FieldView* given = nullptr;
  for (const FieldView& header : request.headers) {
    if (!equal_ignoring_case(header.name, "Authorization")) continue;
    if (given != nullptr) return Check::wrong;
    given = &header;
  }
  if (given == nullptr) return Check::missing;
  std::string_view value = given->value;
  if (value.size() < kScheme.size() ||
      !equal_ignoring_case(value.substr(0, kScheme.size()), kScheme)) {
    return Check::wrong;
  }
  value.remove_prefix(kScheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (value.size() > kBytesMax) return Check::wrong;
  return equal_in_constant_time(sha256(value), digest_) ? Check::right : Check::wrong;
}

}  // namespace nur
