// Chunked coding: the same body and the same end however the bytes are cut, never more than the
// limit, never more than there was.
#include <algorithm>
#include <optional>

#include "base/check.h"
#include "host/net/chunked_body.h"
#include "tests/fuzz/host/target.h"

namespace nur::fuzz {
namespace {

struct Decoded {
  std::string body;
  std::size_t consumed = 0;
  ChunkedBody::Step step = ChunkedBody::Step::need_more;
  int status = 0;
};

// As a connection does it: what is not consumed comes again in front of what is new.
Decoded decode(std::string_view bytes, std::size_t piece, const HttpLimits& limits) {
  ChunkedBody chunked;
  Decoded decoded;
  std::size_t received = 0;
  while (true) {
    received = std::min(received + piece, bytes.size());
    const auto progress = chunked.decode(
        bytes.substr(decoded.consumed, received - decoded.consumed), decoded.body, limits);
    decoded.consumed += progress.consumed;
    decoded.step = progress.step;
    NUR_CHECK(decoded.consumed <= received);
    if (progress.step == ChunkedBody::Step::refused) decoded.status = chunked.refusal().status;
    if (progress.step != ChunkedBody::Step::need_more || received == bytes.size()) return decoded;
  }
}

}  // namespace
}  // namespace nur::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nur;
  std::string_view bytes = fuzz::as_text(data, size);
  const std::size_t piece = 1 + fuzz::take_byte(bytes) % 64;
  HttpLimits limits;
  limits.head_bytes_max = 200;
  limits.headers_max = 5;
  limits.body_bytes_max = 500;
  limits.chunk_extension_bytes_max = 20;

  const fuzz::Decoded whole = fuzz::decode(bytes, bytes.size() + 1, limits);
  NUR_CHECK(whole.body.size() <= limits.body_bytes_max && whole.body.size() <= bytes.size());
  const bool is_complete = whole.step == ChunkedBody::Step::complete;
  NUR_CHECK(!(fuzz::is_defect_planted() && is_complete && whole.body.size() % 4 == 1));
  for (const std::size_t step : {piece, std::size_t{1}}) {
    const fuzz::Decoded cut = fuzz::decode(bytes, step, limits);
    NUR_CHECK(cut.step == whole.step && cut.status == whole.status);
    if (whole.step == ChunkedBody::Step::refused) continue;
    NUR_CHECK(cut.body == whole.body);
    NUR_CHECK(whole.step == ChunkedBody::Step::need_more || cut.consumed == whole.consumed);
  }
  return 0;
}
