// What guests write as answers: a whole HTTP response (nur streams), and what CGI prints. Nothing
// that is let through can break out of its message.
#include "base/check.h"
#include "host/abi/cgi/response.h"
#include "host/net/http_head.h"
#include "host/net/http_response.h"
#include "host/net/response_parser.h"
#include "tests/fuzz/host/target.h"

namespace nur::fuzz {
namespace {

void check_stream(std::string_view bytes, std::string_view method) {
  const auto parsed = parse_response(bytes, method);
  if (!parsed) return;
  NUR_CHECK(parsed->bytes <= bytes.size());
  NUR_CHECK(parsed->status >= 200 && parsed->status <= 999);
  NUR_CHECK(parsed->extra_bytes == (parsed->bytes < bytes.size()));
  NUR_CHECK(!(parsed->keep_alive && (parsed->until_close || parsed->extra_bytes)));
}

void check_cgi(std::string_view printed) {
  Result<Response> response = parse_cgi_response(std::string(printed));
  if (!response) return;
  NUR_CHECK(!find_defect(*response));
  // As it is sent: one head of the lines that are meant, which a strict reader finds whole.
  std::string sent;
  ResponseWriter writer;
  writer.write_head(*response, {1, /*keep_alive=*/true}, sent);
  HeadScanner scanner;
  HttpLimits limits;
  limits.head_bytes_max = sent.size() + 1;
  limits.headers_max = response->headers.size() + 10;
  NUR_CHECK(scanner.scan(sent, limits, /*request=*/false) == HeadScanner::Found::whole_head);
  NUR_CHECK(scanner.head_bytes() == sent.size());
  HeadView view;
  NUR_CHECK(!read_response_head(sent, view));
  NUR_CHECK(view.status == response->status);
}

}  // namespace
}  // namespace nur::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nur::fuzz;
  std::string_view bytes = as_text(data, size);
  const std::uint8_t choice = take_byte(bytes);
  check_stream(bytes, choice % 2 == 0 ? "GET" : "HEAD");
  check_cgi(bytes);
  return 0;
}
