// What `nurhost serve` was asked to do.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "host/artefact/artefact_files.h"
#include "host/kv/kv_database.h"
#include "host/net/http_server.h"
#include "host/outbound/http_client.h"
#include "host/outbound/resolver.h"
#include "host/serve/function_settings.h"
#include "host/serve/handle_router.h"
#include "host/serve/host_module.h"
#include "host/serve/nebula/history.h"
#include "host/serve/nebula/settings.h"
#include "host/serve/static_reply.h"

namespace nur {

// A listener whose connections are one function's, without HTTP.
struct TcpBinding {
  std::string address;
  std::string function;
};

// Descriptors that a worker closes from a signal handler.
inline constexpr std::size_t kTcpBindingsMax = 64;

// "127.0.0.1:7000=echo". Errors: invalid_input.
Result<TcpBinding> parse_tcp_binding(std::string_view text);

// A second listener that takes functions (upload_process.h).
struct UploadOptions {
  std::string address;
  Path token_file;
  std::optional<Path> folder;  // one of ServeOptions::paths; the only folder of them, if not given
  std::size_t bytes_max = std::size_t{64} << 20;  // of a file
};

// Where what is served comes from.
struct Sources {
  std::vector<Path> folders;   // of artefacts, of modules and of settings
  std::vector<Path> settings;  // files of them, which need not be there
};

struct ServeOptions {
  std::vector<Path> paths;
  Sources sources;
  bool watch = true;  // the sources, to serve what changes there
  // Artefacts that are served under other names than their files', before those of `paths`.
  std::vector<NamedArtefact> named;
  // Of configurations of serverless-wasm.
  std::vector<HandleRoute> handle_routes;
  bool only_handle_routes = false;  // nothing is served but by them
  ServerOptions server;
  // Of functions that are not in `functions`.
  FunctionSettings defaults;
  std::map<std::string, FunctionSettings, std::less<>> functions;  // by name
  NebulaSettings nebula;
  // Opened by the master; none without the routes, or where none is kept.
  std::shared_ptr<NebulaHistory> nebula_history;
  std::vector<StaticReply> static_replies;
  std::vector<TcpBinding> tcp;
  std::optional<UploadOptions> upload;
  Milliseconds tcp_idle{300'000};         // a connection of theirs may be without a byte
  Nanoseconds quantum = Milliseconds(1);  // max(): guests are never switched out
  Milliseconds drain_timeout{30'000};
  std::optional<Path> profiles;  // folder to write profiles to at the end; one worker only
  std::size_t workers = 1;
  // Memory mappings that the instances of a worker may take; by the machine's limit, if not given.
  std::optional<std::uint64_t> mappings_max;
  std::optional<std::string> user;  // whom workers become (privileges.h)
  std::span<const HostModule> host_modules = standard_host_modules();

  // Where the key-value store of functions is kept; none: in memory, until the end.
  std::optional<Path> data;
  KvLimits kv;
  // How names are found for functions that may connect to somewhere.
  ResolverOptions resolver;
  HttpClientOptions http;

  [[nodiscard]] const FunctionSettings& settings_of(std::string_view function) const {
    const auto found = functions.find(function);
    return found == functions.end() ? defaults : found->second;
  }
};

// Processors that this process may run on, 1 at least.
std::size_t processors_here();

}  // namespace nur
