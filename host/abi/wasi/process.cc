#include "host/abi/wasi/process.h"

#include <cerrno>
#include <fcntl.h>
#include <utility>

namespace nur {

namespace {

// Arguments and variables of a process in sum, with a NUL each. A request's headers are at most a
// few KiB; this is Linux's half of a default stack.
constexpr std::size_t kStringsBytesMax = std::size_t{1} << 20;

constexpr std::size_t kStreams = 3;

// Stateless, so one of each serves all.
const SystemWasiClocks kSystemClocks;
const SystemRandom kSystemRandom;

Result<void> check_strings(const std::vector<std::string>& strings, const char* what,
                           std::size_t& total) {
  for (const std::string& text : strings) {
    if (text.find('\0') != std::string::npos) {
      return fail(ErrorKind::invalid_input, "starting a guest: {} {} has a NUL byte inside", what,
                  &text - strings.data());
    }
    total += text.size() + 1;
    if (total > kStringsBytesMax) {
      return fail(ErrorKind::limit_exceeded,
                  "starting a guest: arguments and environment exceed {} bytes", kStringsBytesMax);
    }
  }
  return {};
}

wasi::OpenFile open_stream(WasiStream* stream, wasi::Rights rights) {
  wasi::OpenFile file;
  file.stream = stream;
  file.type = stream->type();
  file.base = rights;
  return file;
}

wasi::OpenFile open_preopen(const Preopen& preopen) {
  namespace right = wasi::right;
  wasi::OpenFile file;
  file.host = preopen.directory;
  file.type = wasi::FileType::directory;
  file.preopened_as = preopen.guest_path;
  file.base = preopen.writable ? right::of_directory : right::of_directory_reading;
  file.inheriting = file.base | (preopen.writable ? right::of_file : right::of_file_reading);
  return file;
}

}  // namespace

Result<Preopen> Preopen::open(const Path& host_path, std::string guest_path, bool writable) {
  Fd fd(::open(host_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) {
    const ErrorKind kind = errno == ENOENT    ? ErrorKind::not_found
                           : errno == ENOTDIR ? ErrorKind::invalid_input
                                              : ErrorKind::internal;
    return fail(kind, "{}",
                system_error_text("opening the directory " + host_path.string() + " for guests"));
  }
  return Preopen{std::make_shared<const Fd>(std::move(fd)), std::move(guest_path), writable};
}

Result<WasiProcess> WasiProcess::create(WasiOptions options) {
  std::size_t total = 0;
  NUR_TRY(check_strings(options.arguments, "argument", total));
  NUR_TRY(check_strings(options.environment, "environment variable", total));
  for (const std::string& variable : options.environment) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorKind::invalid_input,
                  "starting a guest: environment variable '{}' is not NAME=value", variable);
    }
  }
  if (options.preopens.size() + kStreams > options.open_files_max) {
    return fail(ErrorKind::limit_exceeded,
                "starting a guest: {} directories and {} streams exceed {} open files",
                options.preopens.size(), kStreams, options.open_files_max);
  }
  if (options.clock_resolution < Nanoseconds{1}) {
    return fail(ErrorKind::invalid_input, "starting a guest: its clock resolution is not positive");
  }
  if (options.clocks == nullptr) options.clocks = &kSystemClocks;
  if (options.random == nullptr) options.random = &kSystemRandom;
  return WasiProcess(std::move(options));
}

WasiProcess::WasiProcess(WasiOptions options)
    : options_(std::move(options)),
      null_stream_(std::make_unique<NullStream>()),
      files_(options_.open_files_max) {
  const auto or_null = [this](WasiStream* stream) {
    return stream != nullptr ? stream : null_stream_.get();
  };
  // create() has checked that all of them fit, and an empty table counts from 0.
  (void)files_.insert(open_stream(or_null(options_.standard_input), wasi::right::of_input));
  (void)files_.insert(open_stream(or_null(options_.standard_output), wasi::right::of_output));
  (void)files_.insert(open_stream(or_null(options_.standard_error), wasi::right::of_output));
  for (const Preopen& preopen : options_.preopens) (void)files_.insert(open_preopen(preopen));
}

}  // namespace nur
