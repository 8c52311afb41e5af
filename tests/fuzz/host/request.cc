// Bytes of a client, all the way to what a guest is given: the parser, the router, the variables of
// CGI. However the bytes are cut into pieces, the requests are the same.
#include "base/check.h"
#include "host/abi/cgi/environment.h"
#include "host/serve/router.h"
#include "tests/fuzz/host/target.h"
#include "tests/host/net/parse_all.h"

namespace nur::fuzz {
namespace {

void check_request(const Request& request) {
  NUR_CHECK(is_token(request.method));
  NUR_CHECK(request.path.starts_with('/') || request.path == "*");
  NUR_CHECK(request.head.find('\0') == std::string::npos);
  for (const FieldView& header : request.headers) {
    NUR_CHECK(is_token(header.name) && is_field_value(header.value));
  }
  CgiOptions cgi;
  if (const std::optional<Route> route = route_of(request.path)) {
    NUR_CHECK(!route->name.empty());
    NUR_CHECK(route->name.find('\0') == std::string::npos);
    NUR_CHECK(request.path.starts_with(route->script_name));
    cgi.script_name = route->script_name;
  }
  for (const std::string& variable : cgi_environment(request, cgi)) {
    NUR_CHECK(variable.find('=') != std::string::npos);
    NUR_CHECK(variable.find('\0') == std::string::npos);
  }
}

}  // namespace
}  // namespace nur::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nur;
  std::string_view bytes = fuzz::as_text(data, size);
  const std::size_t first = fuzz::take_byte(bytes);
  const std::size_t second = first + fuzz::take_byte(bytes);
  // Small limits: their edges are nearer.
  HttpLimits limits;
  limits.target_bytes_max = 100;
  limits.head_bytes_max = 600;
  limits.headers_max = 10;
  limits.body_bytes_max = 300;
  limits.chunk_extension_bytes_max = 20;

  const Parsed whole = parse_all(bytes, {}, limits);
  for (const Request& request : whole.requests) fuzz::check_request(request);
  std::vector<std::size_t> cuts;
  for (const std::size_t cut : {first, second}) {
    if (cut < bytes.size()) cuts.push_back(cut);
  }
  NUR_CHECK(describe(parse_all(bytes, cuts, limits)) == describe(whole));
  NUR_CHECK(describe(parse_all(bytes, every_byte(bytes), limits)) == describe(whole));
  return 0;
}
