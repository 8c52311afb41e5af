// Standard input and output of a CGI command whose client sends and takes while it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/abi/wasi/streams.h"
#include "host/net/exchange.h"

namespace nur {

// The body of a request as it comes.
class BodyInput final : public WasiStream {
 public:
  explicit BodyInput(Exchange& exchange) : exchange_(exchange) {}

  wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) override;
  [[nodiscard]] std::size_t read_bytes_max() const override;
  wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) override;
  [[nodiscard]] wasi::FileType type() const override { return wasi::FileType::unknown; }
  [[nodiscard]] bool is_ready(wasi::EventType direction) override;
  [[nodiscard]] int descriptor() const override { return -1; }
  [[nodiscard]] std::uint64_t bytes_ready(wasi::EventType direction) const override;

 private:
  Exchange& exchange_;
  std::string held_;  // to know whether there is any
};

// What a command prints: held while it is little, since most answers are whole then; what is more
// goes out in pieces, the head first, and the command waits while its client takes nothing.
class CgiOutput final : public WasiStream {
 public:
  static constexpr std::size_t kHeldBytesMax = 256 << 10;

  explicit CgiOutput(Exchange& exchange) : exchange_(exchange) {}

  // Takes a part of what is more than it holds; when what was printed is no CGI response, EIO.
  wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) override;
  [[nodiscard]] std::size_t read_bytes_max() const override { return 0; }
  wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) override;
  [[nodiscard]] wasi::FileType type() const override { return wasi::FileType::unknown; }
  [[nodiscard]] bool is_ready(wasi::EventType direction) override;
  [[nodiscard]] int descriptor() const override { return -1; }
  [[nodiscard]] std::uint64_t bytes_ready(wasi::EventType direction) const override;

  // Hands on what there is, if its head is complete.
  void pass_on();
  // Some of it was handed on.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  // Why it is no CGI response.
  [[nodiscard]] const std::optional<std::string>& wrong() const { return wrong_; }
  // What was not handed on.
  [[nodiscard]] std::string take() { return std::move(held_); }

 private:
  void begin();

  Exchange& exchange_;
  std::string held_;
  bool has_begun_ = false;
  std::optional<std::string> wrong_;
};

}  // namespace nur
