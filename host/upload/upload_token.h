// The secret that an upload has to bring: who has it can run code here.
//
// It is read from a file, so that no list of processes shows it, and only its SHA-256 is kept. What
// a request brings is hashed before it is compared, so neither how long the comparison takes nor
// what memory of this process holds says anything of the token.
#pragma once

#include <string_view>

#include "base/artefact_file.h"
#include "base/file.h"
#include "base/result.h"
#include "host/net/http_message.h"

namespace nur {

class UploadToken {
 public:
  static constexpr std::size_t kBytesMin = 16;
  static constexpr std::size_t kBytesMax = 1024;

  // The first and only word of `file`. Errors: not_found; invalid_input when others may read the
  // file, or it holds no token: too short, too long, or not of visible ASCII.
  static Result<UploadToken> read(const Path& file);
  // Of its text. Errors: invalid_input.
  static Result<UploadToken> of(std::string_view text);

  enum class Check { right, wrong, missing };
  // What "Authorization: Bearer TOKEN" says (RFC 6750). Two of them are a wrong one.
  [[nodiscard]] Check check(const Request& request) const;

 private:
  explicit UploadToken(const Sha256& digest) : digest_(digest) {}

  Sha256 digest_;
};

}  // namespace nur
