#include "host/options.h"

#include <CLI/CLI.hpp>

#include "base/artefact_file.h"
#include "base/units.h"
#include "base/version.h"
#include "host/net/socket_address.h"

namespace nur {
namespace {

constexpr char kServeExitCodes[] =
    "\nSignals: SIGTERM or SIGINT finishes what is in flight and exits 0; a second one exits at "
    "once. SIGHUP reads all files again.\n"
    "Exit codes: 0 stopped by a signal; 1 could not start; 2 wrong usage.\n";
constexpr char kRunExitCodes[] =
    "\nExit codes: the command's own; 0 for a typed export; 1 could not run; 2 wrong usage;\n"
    "124 out of time or of CPU time; 134 trapped.\n";

// Enough for any machine; each is a process.
constexpr std::size_t kWorkersMax = 1024;

// Times and sizes as they are written on the command line.
struct RawLimits {
  std::string timeout;
  std::string cpu_time;
  std::string memory_max = "128MiB";
};

void add_limit_options(CLI::App& app, RawLimits& raw) {
  app.add_option("--timeout", raw.timeout, "Longest a call may take: 500ms, 2s, 1m")
      ->envname("NUR_TIMEOUT")
      ->type_name("DURATION")
      ->capture_default_str();
  app.add_option("--cpu-time", raw.cpu_time,
                 "Most processor time a call may use (no limit but --timeout)")
      ->envname("NUR_CPU_TIME")
      ->type_name("DURATION");
  app.add_option("--memory-max", raw.memory_max, "Most linear memory an instance may have")
      ->envname("NUR_MEMORY_MAX")
      ->type_name("SIZE")
      ->capture_default_str();
}

Result<Nanoseconds> checked_time(const std::string& text, const std::string& option) {
  const Nanoseconds time = NUR_TRY(in_context(parse_duration(text), option));
  if (time < Milliseconds(1)) return fail(ErrorKind::invalid_input, "{}: at least 1ms", option);
  return time;
}

Result<FunctionLimits> checked(const RawLimits& raw) {
  FunctionLimits limits;
  limits.time.timeout = NUR_TRY(checked_time(raw.timeout, "--timeout"));
  if (!raw.cpu_time.empty()) {
    limits.time.cpu_time = NUR_TRY(checked_time(raw.cpu_time, "--cpu-time"));
  }
  limits.sandbox.memory_bytes_max = NUR_TRY(in_context(parse_size(raw.memory_max), "--memory-max"));
  return limits;
}

// Below, switching would cost more than a few percent of the time.
constexpr Nanoseconds kQuantumMin = std::chrono::microseconds(100);

Result<Nanoseconds> checked_quantum(const std::string& text) {
  if (text == "0") return Nanoseconds::max();
  const Nanoseconds quantum = NUR_TRY(in_context(parse_duration(text), "--quantum"));
  if (quantum == Nanoseconds(0)) return Nanoseconds::max();
  if (quantum < kQuantumMin) {
    return fail(ErrorKind::invalid_input, "--quantum: at least {}, or 0 for none",
                format_duration(kQuantumMin));
  }
  return quantum;
}

// What the HTTP front takes and for how long it waits, as written on the command line.
struct RawFront {
  std::string header_timeout = "10s";
  std::string keep_alive_timeout = "15s";
  std::string header_limit = "16KiB";
  std::string body_limit = "1MiB";
  std::string unsent_max = "256MiB";
};

void add_front_options(CLI::App& app, RawFront& raw, ServerOptions& server) {
  const auto add = [&app](const char* name, auto& value, const char* variable, const char* type,
                          const char* help) {
    app.add_option(name, value, help)->envname(variable)->type_name(type)->capture_default_str();
  };
  add("--header-timeout", raw.header_timeout, "NUR_HEADER_TIMEOUT", "DURATION",
      "Longest a request's head may take to come, from the connection or its first byte on");
  add("--keep-alive-timeout", raw.keep_alive_timeout, "NUR_KEEP_ALIVE_TIMEOUT", "DURATION",
      "Longest a connection may wait for its next request");
  add("--header-limit", raw.header_limit, "NUR_HEADER_LIMIT", "SIZE", "Largest head of a request");
  add("--body-limit", raw.body_limit, "NUR_BODY_LIMIT", "SIZE", "Largest body of a request");
  add("--unsent-max", raw.unsent_max, "NUR_UNSENT_MAX", "SIZE",
      "Most memory of a worker for answers that clients have not taken yet");
  add("--connections-max", server.connections_max, "NUR_CONNECTIONS_MAX", "N",
      "Most connections of a worker at once; fewer where descriptors are scarce");
  add("--connections-per-client", server.connections_per_client, "NUR_CONNECTIONS_PER_CLIENT", "N",
      "Most of them from one address, or network of 64 bits with IPv6");
}

Result<void> check(const RawFront& raw, ServerOptions& server) {
  const auto duration = [](const std::string& text, const char* option) -> Result<Milliseconds> {
    const Nanoseconds parsed = NUR_TRY(in_context(parse_duration(text), option));
    if (parsed < Milliseconds(1) || parsed > std::chrono::hours(24)) {
      return fail(ErrorKind::invalid_input, "{}: from 1ms to 24h", option);
    }
    return std::chrono::duration_cast<Milliseconds>(parsed);
  };
  const auto size = [](const std::string& text, const char* option, std::uint64_t least,
                       std::uint64_t most) -> Result<std::size_t> {
    const std::uint64_t parsed = NUR_TRY(in_context(parse_size(text), option));
    if (parsed < least || parsed > most) {
      return fail(ErrorKind::invalid_input, "{}: from {} to {}", option, format_size(least),
                  format_size(most));
    }
    return parsed;
  };
  server.timeouts.header = NUR_TRY(duration(raw.header_timeout, "--header-timeout"));
  server.timeouts.keep_alive = NUR_TRY(duration(raw.keep_alive_timeout, "--keep-alive-timeout"));
  // A connection may hold that much while its head is incomplete, and copies it once.
  server.limits.head_bytes_max =
      NUR_TRY(size(raw.header_limit, "--header-limit", 1 << 10, 1 << 20));
  server.limits.body_bytes_max =
      NUR_TRY(size(raw.body_limit, "--body-limit", 0, std::uint64_t{1} << 30));
  server.unsent_bytes_max =
      NUR_TRY(size(raw.unsent_max, "--unsent-max", 1 << 20, std::uint64_t{1} << 40));
  if (server.connections_max == 0) {
    return fail(ErrorKind::invalid_input, "--connections-max: at least 1");
  }
  if (server.connections_per_client == 0) {
    return fail(ErrorKind::invalid_input, "--connections-per-client: at least 1");
  }
  return {};
}

// The listener that takes functions, as written on the command line.
struct RawUpload {
  std::string address;
  std::string token_file;
  std::string folder;
  std::string bytes_max = "64MiB";
};

void add_upload_options(CLI::App& app, RawUpload& raw) {
  app.add_option("--upload", raw.address,
                 "Listen there for functions, too (PUT /NAME.so or /NAME.wasm, DELETE, GET /):\n"
                 "off unless said. Whoever has the token can run code: keep it on 127.0.0.1,\n"
                 "behind a proxy with TLS or an SSH tunnel")
      ->envname("NUR_UPLOAD")
      ->type_name("ADDRESS:PORT");
  app.add_option("--upload-token-file", raw.token_file,
                 "What an upload has to bring, as \"Authorization: Bearer TOKEN\": a word of 16\n"
                 "characters at least, in a file that others cannot read")
      ->envname("NUR_UPLOAD_TOKEN_FILE")
      ->type_name("FILE");
  app.add_option("--upload-dir", raw.folder,
                 "Where uploads go: one of PATHS (the only folder among them)")
      ->envname("NUR_UPLOAD_DIR")
      ->type_name("DIR");
  app.add_option("--upload-limit", raw.bytes_max, "Largest function that is taken")
      ->envname("NUR_UPLOAD_LIMIT")
      ->type_name("SIZE")
      ->capture_default_str();
}

Result<std::optional<UploadOptions>> checked(const RawUpload& raw) {
  if (raw.address.empty()) {
    if (raw.token_file.empty() && raw.folder.empty()) return std::optional<UploadOptions>();
    return fail(ErrorKind::invalid_input,
                "--upload-token-file, --upload-dir: say where to listen with --upload, too");
  }
  NUR_TRY(in_context(parse_address(raw.address), "--upload"));
  if (raw.token_file.empty()) {
    return fail(ErrorKind::invalid_input,
                "--upload: name a file with a token with --upload-token-file; whoever can upload "
                "can run code here, so nobody can without one");
  }
  UploadOptions upload{.address = raw.address, .token_file = raw.token_file, .folder = {}};
  if (!raw.folder.empty()) upload.folder = raw.folder;
  upload.bytes_max = NUR_TRY(in_context(parse_size(raw.bytes_max), "--upload-limit"));
  if (upload.bytes_max == 0 || upload.bytes_max > kArtefactBytesMax) {
    return fail(ErrorKind::invalid_input, "--upload-limit: from 1B to {}",
                format_size(kArtefactBytesMax));
  }
  return std::optional(std::move(upload));
}

Result<DirectoryGrant> parse_directory(const std::string& text) {
  std::string_view rest = text;
  DirectoryGrant directory;
  if (rest.ends_with(":rw")) {
    directory.writable = true;
    rest.remove_suffix(3);
  }
  const std::size_t separator = rest.find("::");
  directory.host_path = Path(rest.substr(0, separator));
  directory.guest_path = separator == std::string_view::npos
                             ? std::string(rest)
                             : std::string(rest.substr(separator + 2));
  if (directory.host_path.empty() || directory.guest_path.empty()) {
    return fail(ErrorKind::invalid_input,
                "--dir {}: write HOST::GUEST, or HOST::GUEST:rw to let the guest change it", text);
  }
  return directory;
}

Result<void> add_variable(EnvironmentTable& environment, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorKind::invalid_input, "--env {}: write NAME=VALUE", text);
  }
  environment.insert_or_assign(text.substr(0, equals), text.substr(equals + 1));
  return {};
}

}  // namespace

NurhostCommand parse_nurhost_options(int argc, const char* const* argv) {
  CLI::App app{
      "nurhost serves functions that nurc has compiled, each request in a fresh sandbox.\n\n"
      "  nurhost serve functions/           http://127.0.0.1:8080/NAME for every NAME.so, with "
      "the\n"
      "                                     settings of functions/nur.toml\n"
      "  nurhost run fib.so -- 10           one call, on the command line",
      "nurhost"};
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", fmt::format("nurhost {}", kVersion));

  ServeCommand serve_command;
  ServeOptions& serve = serve_command.options;
  RawLimits serve_limits;
  serve_limits.timeout = "5s";
  std::vector<std::string> paths;
  std::string quantum = "1ms";
  std::string drain_timeout = "30s";
  std::string log_level = "info";
  std::string profiles;
  CLI::App* const serve_app = app.add_subcommand("serve", "Serve functions over HTTP");
  serve_app->footer(kServeExitCodes);
  serve_app->add_option(
      "PATHS", paths,
      "Folders of artefacts, artefacts (.so), or files of\nsettings (nur.toml) beside artefacts");
  std::vector<std::string> static_replies;
  serve_app
      ->add_option("--static-reply", static_replies,
                   "Answer TEXT at PATH without any function; may be repeated")
      ->type_name("PATH=TEXT")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  std::vector<std::string> tcp_bindings;
  serve_app
      ->add_option(
          "--tcp", tcp_bindings,
          "Listen there without HTTP too: the bytes of each connection are the function's\n"
          "(of the nur ABI); may be repeated")
      ->type_name("ADDRESS:PORT=FUNCTION")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  std::string tcp_idle = "5m";
  serve_app
      ->add_option("--tcp-idle-timeout", tcp_idle,
                   "Longest a connection of --tcp may be without a byte in either direction")
      ->envname("NUR_TCP_IDLE_TIMEOUT")
      ->type_name("DURATION")
      ->capture_default_str();
  RawUpload upload;
  add_upload_options(*serve_app, upload);
  serve_app->add_option("--listen", serve.server.address, "Where to listen: ADDRESS:PORT")
      ->envname("NUR_LISTEN")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  add_limit_options(*serve_app, serve_limits);
  std::vector<std::string> serve_environment;
  serve_app
      ->add_option("-e,--env", serve_environment,
                   "Environment variable of all functions; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  std::vector<std::string> serve_directories;
  serve_app
      ->add_option("--dir", serve_directories,
                   "Directory that all functions may read, and change with :rw; may be repeated")
      ->type_name("HOST::GUEST[:rw]")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  std::uint64_t mappings_max = 0;
  serve_app
      ->add_option("--mappings-max", mappings_max,
                   "Most memory mappings that a worker's instances may take (by\n"
                   "vm.max_map_count unless said)")
      ->envname("NUR_MAPPINGS_MAX")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  std::size_t workers = processors_here();
  serve_app->add_option("--workers", workers, "Processes that serve; one per processor unless said")
      ->envname("NUR_WORKERS")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, kWorkersMax))
      ->capture_default_str();
  std::string user;
  serve_app
      ->add_option("--user", user,
                   "Started by root: whom workers become, which is nobody unless said")
      ->envname("NUR_USER")
      ->type_name("NAME");
  std::string ca_file;
  std::string data;
  std::string kv_max = "256MiB";
  serve_app
      ->add_option("--data", data,
                   "Folder of the functions' key-value store (in memory, until the end)")
      ->envname("NUR_DATA")
      ->type_name("DIR");
  serve_app
      ->add_option("--kv-max", kv_max,
                   "Most that a function may store; in memory, an equal part of 128MiB at most")
      ->envname("NUR_KV_MAX")
      ->type_name("SIZE")
      ->capture_default_str();
  serve_app
      ->add_option("--outbound", serve.defaults.outbound,
                   "Where functions may connect to: api.example.test:443, *:443, loopback:8181,\n"
                   "10.0.0.0/8:5432; may be repeated, and nothing is open unless said")
      ->envname("NUR_OUTBOUND")
      ->type_name("RULE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  serve_app
      ->add_option("--ca-file", ca_file,
                   "Certificates that https servers are held against (those of the system)")
      ->envname("NUR_CA_FILE")
      ->type_name("FILE");
  serve_app
      ->add_option("--dns-server", serve.resolver.servers,
                   "Whom to ask for names of --outbound (those of /etc/resolv.conf)")
      ->envname("NUR_DNS_SERVER")
      ->type_name("ADDRESS[:PORT]");
  serve_app
      ->add_option("--quantum", quantum,
                   "How long a function runs before others get their turn; 0: until it is done")
      ->envname("NUR_QUANTUM")
      ->type_name("DURATION")
      ->capture_default_str();
  RawFront front;
  add_front_options(*serve_app, front, serve.server);
  serve_app
      ->add_option("--drain-timeout", drain_timeout,
                   "After SIGTERM, longest to wait for requests in flight")
      ->envname("NUR_DRAIN_TIMEOUT")
      ->type_name("DURATION")
      ->capture_default_str();
  bool no_watch = false;
  serve_app->add_flag("--no-watch", no_watch,
                      "Serve what was there at start until SIGHUP comes, whatever is copied there");
  serve_app
      ->add_option(
          "--profile", profiles,
          "At the end, write NAME.profile of every function that counts, for nurc compile\n"
          "--profile-use; one worker serves, because each would count for itself")
      ->type_name("DIR");
  serve_app->add_option("--log-level", log_level, "What is logged on standard error")
      ->envname("NUR_LOG_LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}))
      ->capture_default_str();

  RunCommand run;
  RawLimits run_limits;
  run_limits.timeout = "24h";
  std::string artefact;
  std::string invoke;
  std::vector<std::string> directories;
  CLI::App* const run_app = app.add_subcommand("run", "Run a function once, here");
  run_app->footer(kRunExitCodes);
  run_app->add_option("FILE", artefact, "The artefact (.so)")->required();
  run_app->add_option("--invoke", invoke, "Exported function to call, with numbers as arguments")
      ->type_name("EXPORT");
  run_app->add_option("-e,--env", run.options.environment, "Environment variable; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  run_app
      ->add_option("--dir", directories,
                   "Directory the guest may read, and change with :rw; may be repeated")
      ->type_name("HOST::GUEST[:rw]")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  run_app
      ->add_option("--outbound", run.options.outbound,
                   "Where the function may connect to, as with serve; may be repeated")
      ->envname("NUR_OUTBOUND")
      ->type_name("RULE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  std::string profile;
  run_app
      ->add_option("--profile", profile,
                   "Write what the function counted, for nurc compile --profile-use")
      ->type_name("FILE");
  add_limit_options(*run_app, run_limits);
  run_app->add_option("ARGS", run.options.arguments, "Behind --: arguments of the function");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    return PrintAndExit{fmt::format("nurhost {}\n", kVersion), 0};
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      const CLI::App* const asked = serve_app->parsed() ? serve_app
                                    : run_app->parsed() ? run_app
                                                        : &app;
      return PrintAndExit{asked->help(), 0};
    }
    return usage_error("nurhost", error.what());
  }

  if (serve_app->parsed()) {
    serve.paths.assign(paths.begin(), paths.end());
    const Result<FunctionLimits> limits = checked(serve_limits);
    if (!limits) return usage_error("nurhost", limits.error().message);
    serve.defaults.limits = *limits;
    const Result<Nanoseconds> slice = checked_quantum(quantum);
    if (!slice) return usage_error("nurhost", slice.error().message);
    serve.quantum = *slice;
    const Result<Nanoseconds> drain = in_context(parse_duration(drain_timeout), "--drain-timeout");
    if (!drain) return usage_error("nurhost", drain.error().message);
    serve.drain_timeout = std::chrono::duration_cast<Milliseconds>(*drain);
    const Result<void> checked_front = check(front, serve.server);
    if (!checked_front) return usage_error("nurhost", checked_front.error().message);
    serve.defaults.limits.body_bytes_max = serve.server.limits.body_bytes_max;
    serve_command.given = {.timeout = serve_app->count("--timeout") > 0,
                           .cpu_time = serve_app->count("--cpu-time") > 0,
                           .memory = serve_app->count("--memory-max") > 0,
                           .body = serve_app->count("--body-limit") > 0,
                           .kv = serve_app->count("--kv-max") > 0,
                           .listen = serve_app->count("--listen") > 0};
    for (const std::string& text : serve_environment) {
      const Result<void> added = add_variable(serve.defaults.environment, text);
      if (!added) return usage_error("nurhost", added.error().message);
    }
    for (const std::string& text : serve_directories) {
      const Result<DirectoryGrant> directory = parse_directory(text);
      if (!directory) return usage_error("nurhost", directory.error().message);
      serve.defaults.directories.push_back(*directory);
    }
    if (!data.empty()) serve.data = data;
    serve.http.ca_file = ca_file;
    const Result<std::uint64_t> kv_bytes = in_context(parse_size(kv_max), "--kv-max");
    if (!kv_bytes) return usage_error("nurhost", kv_bytes.error().message);
    serve.kv.bytes_max = *kv_bytes;
    const Result<OutboundPolicy> outbound = OutboundPolicy::parse(serve.defaults.outbound);
    if (!outbound) return usage_error("nurhost", "--outbound: " + outbound.error().message);
    const Result<SocketAddress> address = parse_address(serve.server.address);
    if (!address) return usage_error("nurhost", "--listen: " + address.error().message);
    for (const std::string& text : static_replies) {
      Result<StaticReply> reply = in_context(parse_static_reply(text), "--static-reply");
      if (!reply) return usage_error("nurhost", reply.error().message);
      serve.static_replies.push_back(*std::move(reply));
    }
    for (const std::string& text : tcp_bindings) {
      Result<TcpBinding> binding = in_context(parse_tcp_binding(text), "--tcp");
      if (!binding) return usage_error("nurhost", binding.error().message);
      serve.tcp.push_back(*std::move(binding));
    }
    if (serve.tcp.size() > kTcpBindingsMax) {
      return usage_error("nurhost", fmt::format("--tcp: at most {}", kTcpBindingsMax));
    }
    const Result<Nanoseconds> idle = checked_time(tcp_idle, "--tcp-idle-timeout");
    if (!idle) return usage_error("nurhost", idle.error().message);
    serve.tcp_idle = std::chrono::duration_cast<Milliseconds>(*idle);
    Result<std::optional<UploadOptions>> uploads = checked(upload);
    if (!uploads) return usage_error("nurhost", uploads.error().message);
    serve.upload = *std::move(uploads);
    if (paths.empty() && static_replies.empty()) {
      return usage_error("nurhost", "PATHS: name a folder of artefacts, or artefacts (.so)");
    }
    serve.watch = !no_watch;
    serve.workers = workers;
    if (mappings_max > 0) serve.mappings_max = mappings_max;
    if (!user.empty()) serve.user = user;
    if (!profiles.empty()) {
      if (serve_app->count("--workers") > 0 && workers != 1) {
        return usage_error("nurhost",
                           "--profile: each worker would count for itself; leave out --workers");
      }
      serve.workers = 1;
      serve.profiles = profiles;
    }
    if (log_level == "debug") serve_command.log_level = LogLevel::debug;
    if (log_level == "warning") serve_command.log_level = LogLevel::warning;
    if (log_level == "error") serve_command.log_level = LogLevel::error;
    if (log_level == "off") serve_command.log_level = LogLevel::off;
    return serve_command;
  }
  if (run_app->parsed()) {
    const Result<FunctionLimits> limits = checked(run_limits);
    if (!limits) return usage_error("nurhost", limits.error().message);
    run.options.limits = *limits;
    run.options.artefact = artefact;
    if (!profile.empty()) run.options.profile = profile;
    if (run_app->count("--invoke") > 0) run.options.invoke = invoke;
    const Result<OutboundPolicy> outbound = OutboundPolicy::parse(run.options.outbound);
    if (!outbound) return usage_error("nurhost", "--outbound: " + outbound.error().message);
    for (const std::string& text : directories) {
      const Result<DirectoryGrant> directory = parse_directory(text);
      if (!directory) return usage_error("nurhost", directory.error().message);
      run.options.directories.push_back(*directory);
    }
    return run;
  }
  return PrintAndExit{app.help(), 2};
}

}  // namespace nur
