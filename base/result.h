// How "cannot do it" travels: Result<T>, passed on with NUR_TRY, one per line.
//
//   Result<Manifest> read(const Path& path) {
//     const std::string bytes = NUR_TRY(read_file(path));
//     if (bytes.empty()) return fail(ErrorKind::invalid_input, "reading {}: empty file", path);
//     ...
//
// Nobody decides by looking into a message; `kind` says what the caller can do about it.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace nur {

enum class ErrorKind {
  invalid_input,   // what was given is wrong; the same call fails again
  not_found,       // the thing named does not exist
  limit_exceeded,  // a configured limit says no
  exhausted,       // the machine has no more of something; later it may
  interrupted,     // the user asked to stop
  internal,        // a tool or the system failed in a way nobody asked for
};

// Lower case, without a full stop, naming the thing:
// "loading hello.so: abi version 3, this host speaks 1".
struct Error {
  ErrorKind kind;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

template <class... Args>
std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

// Puts "what was being done: " in front of an error that is passed on.
template <class T>
Result<T> in_context(Result<T> result, const std::string& what) {
  if (!result) result.error().message.insert(0, what + ": ");
  return result;
}

namespace detail {
template <class T, class E>
T take(std::expected<T, E>&& result) {
  return *std::move(result);
}
template <class E>
void take(std::expected<void, E>&&) {}
}  // namespace detail

}  // namespace nur

// The value of `expression`, or its error handed to our caller.
#define NUR_TRY(...)                                             \
  ({                                                             \
    auto nur_try_result = (__VA_ARGS__);                         \
    if (!nur_try_result) [[unlikely]]                            \
      return std::unexpected(std::move(nur_try_result).error()); \
    ::nur::detail::take(std::move(nur_try_result));              \
  })
