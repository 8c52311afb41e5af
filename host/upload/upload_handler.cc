#include "host/upload/upload_handler.h"

#include <expected>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/artefact_file.h"
#include "base/elf_rules.h"
#include "base/log.h"

namespace nur {
namespace {

using Json = nlohmann::ordered_json;

// The magic number and version that every module begins with.
constexpr std::string_view kModuleBegin("\0asm\1\0\0\0", 8);

Response json_response(int status, const Json& json) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return response;
}

Response not_allowed(const char* allowed) {
  Response response = host_response(405, fmt::format("there is {} here", allowed));
  response.headers.push_back({"Allow", allowed});
  return response;
}

Response unauthorized(UploadToken::Check check) {
  const bool missing = check == UploadToken::Check::missing;
  Response response =
      host_response(401, missing ? "send \"Authorization: Bearer TOKEN\", with the token of "
                                   "--upload-token-file"
                                 : "this is not the token");
  response.headers.push_back(
      {"WWW-Authenticate",
       missing ? R"(Bearer realm="nurhost")" : R"(Bearer realm="nurhost", error="invalid_token")"});
  return response;
}

Response response_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::exhausted:
      return host_response(507, error.message);
    case ErrorKind::not_found:
      return host_response(404, error.message);
    case ErrorKind::invalid_input:
    case ErrorKind::limit_exceeded:
      return host_response(409, error.message);
    case ErrorKind::interrupted:
    case ErrorKind::internal:
      break;
  }
  return host_response(500, error.message);
}

// Why no nurhost would serve it: as its log would say.
std::optional<std::string> refusal_of(const UploadName& name, std::string_view bytes) {
  if (name.is_module) {
    if (bytes.starts_with(kModuleBegin)) return std::nullopt;
    return "refused by rule module: no WebAssembly module of version 1 begins so";
  }
  const auto verified = verify_elf(bytes, cpu_level_here());
  if (verified) return std::nullopt;
  return fmt::format("refused by rule {}: {}", to_string(verified.error().rule),
                     printable(verified.error().detail));
}

std::string who(const Request& request) { return printable(request.client, 64); }

}  // namespace

bool UploadHandler::takes_early(const Request& request) {
  return token_.check(request) != UploadToken::Check::right || request.method != "PUT" ||
         request.target.find('?') != std::string_view::npos || !upload_name_of(request.path);
}

void UploadHandler::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  const UploadToken::Check check = token_.check(request);
  if (check == UploadToken::Check::right) return exchange.respond(answer(request));
  if (check == UploadToken::Check::missing) return exchange.respond(unauthorized(check));
  spdlog::warn("upload: a wrong token from {}", who(request));
  delayed_.push_back({&exchange, loop_.now() + kWrongTokenDelay});
  answer_delayed_.set(delayed_.front().until);
}

void UploadHandler::answer_delayed() {
  while (!delayed_.empty() && delayed_.front().until <= loop_.now()) {
    Exchange* const exchange = delayed_.front().exchange;
    delayed_.pop_front();
    exchange->respond(unauthorized(UploadToken::Check::wrong));
  }
  if (!delayed_.empty()) answer_delayed_.set(delayed_.front().until);
}

Response UploadHandler::answer(const Request& request) const {
  if (request.target.find('?') != std::string_view::npos) {
    return host_response(400, "nothing here takes a query; a \"?\" in a name is %3F");
  }
  if (request.path == "/") {
    return request.method == "GET" || request.method == "HEAD" ? list() : not_allowed("GET, HEAD");
  }
  const std::expected<UploadName, std::string> name = upload_name_of(request.path);
  if (!name) return host_response(400, name.error());
  if (request.method == "PUT") return put(request, *name);
  if (request.method == "DELETE") return remove(request, *name);
  return not_allowed("PUT, DELETE");
}

Response UploadHandler::put(const Request& request, const UploadName& name) const {
  if (const std::optional<std::string> defect = refusal_of(name, request.body)) {
    spdlog::warn("upload: {} from {}: {}", name.file, who(request), *defect);
    return host_response(422, *defect);
  }
  // It would be stored, and never served.
  if (name.is_module && folder_.has(name.function + ".so")) {
    return host_response(409, fmt::format("{0}.so is there and is served instead of a {0}.wasm; "
                                          "DELETE /{0}.so first, or PUT it",
                                          name.function));
  }
  const Result<UploadFolder::Put> stored = folder_.put(name.file, request.body);
  if (!stored) {
    spdlog::error("upload: {} from {}: {}", name.file, who(request), stored.error().message);
    return response_of(stored.error());
  }
  const bool created = *stored == UploadFolder::Put::created;
  const std::string digest = to_hex(sha256(request.body));
  spdlog::info("upload: {} {}, {} bytes, sha256 {}, from {}", name.file,
               created ? "created" : "replaced", request.body.size(), digest, who(request));
  return json_response(created ? 201 : 200, {{"name", name.file},
                                             {"function", name.function},
                                             {"bytes", request.body.size()},
                                             {"sha256", digest}});
}

Response UploadHandler::remove(const Request& request, const UploadName& name) const {
  const Result<void> removed = folder_.remove(name.file);
  if (!removed) return response_of(removed.error());
  spdlog::info("upload: {} deleted, from {}", name.file, who(request));
  Response response;
  response.status = 204;
  return response;
}

Response UploadHandler::list() const {
  const Result<std::vector<UploadFolder::File>> files = folder_.list();
  if (!files) return response_of(files.error());
  Json list = Json::array();
  for (const UploadFolder::File& file : *files) {
    list.push_back({{"name", file.name}, {"bytes", file.bytes}});
  }
  return json_response(200, list);
}

}  // namespace nur
