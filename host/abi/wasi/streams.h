// Where a guest's standard input comes from and its output goes.
//
// A served guest reads its request from memory and writes its answer into memory, or waits without
// holding up its thread until its client sends or takes something. On the command line the streams
// are descriptors of the host, whose calls block the thread: only for a process that runs one
// guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "host/abi/wasi/types.h"

namespace nur {

// One standard stream. Both directions exist; the descriptor's rights decide which is used.
class WasiStream {
 public:
  virtual ~WasiStream() = default;

  // Fills the buffers in order; 0 at the end of input.
  virtual wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) = 0;

  // The most that one read() fills: nobody has to find more room for it.
  [[nodiscard]] virtual std::size_t read_bytes_max() const = 0;

  // Takes bytes from the buffers in order and says how many.
  virtual wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) = 0;

  [[nodiscard]] virtual wasi::FileType type() const = 0;

  // False: a call in that direction would have to wait. Who owns the stream wakes the guest when it
  // need not any more.
  [[nodiscard]] virtual bool is_ready(wasi::EventType) { return true; }

  // What to poll before a call that shall not block; -1 when none ever does.
  [[nodiscard]] virtual int descriptor() const = 0;

  // How much can be read or written at once, as far as known; at least 1 where that is unknown.
  [[nodiscard]] virtual std::uint64_t bytes_ready(wasi::EventType direction) const = 0;
};

// Nothing to read, nothing kept.
class NullStream final : public WasiStream {
 public:
  [[nodiscard]] std::size_t read_bytes_max() const override { return 0; }
  wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) override;
  wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) override;
  [[nodiscard]] wasi::FileType type() const override { return wasi::FileType::unknown; }
  [[nodiscard]] int descriptor() const override { return -1; }
  [[nodiscard]] std::uint64_t bytes_ready(wasi::EventType direction) const override;
};

// Reads bytes that someone else keeps for as long: the body of a request. Writing is EBADF.
class InputView final : public WasiStream {
 public:
  explicit InputView(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] std::size_t read_bytes_max() const override { return left_.size(); }
  wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) override;
  wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) override;
  [[nodiscard]] wasi::FileType type() const override { return wasi::FileType::unknown; }
  [[nodiscard]] int descriptor() const override { return -1; }
  [[nodiscard]] std::uint64_t bytes_ready(wasi::EventType direction) const override;

 private:
  std::string_view left_;
};

// Keeps what is written, up to a cap. Past it a write behaves as on a full disk: what still fits is
// taken, then ENOSPC. Reading is EBADF.
class CappedOutput final : public WasiStream {
 public:
  explicit CappedOutput(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  [[nodiscard]] std::size_t read_bytes_max() const override { return 0; }
  wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) override;
  wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) override;
  [[nodiscard]] wasi::FileType type() const override { return wasi::FileType::unknown; }
  [[nodiscard]] int descriptor() const override { return -1; }
  [[nodiscard]] std::uint64_t bytes_ready(wasi::EventType direction) const override;

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string take() { return std::move(bytes_); }
  // Whether the guest wanted to write more than the cap: its answer is not whole.
  [[nodiscard]] bool overflowed() const { return overflowed_; }

 private:
  std::size_t bytes_max_;
  std::string bytes_;
  bool overflowed_ = false;
};

// Hands what is written to a function, line by line without the line feed: a guest's log. Longer
// lines come in pieces. Past `bytes_max` writes still succeed and are dropped, for a guest should
// not fail because it logs much. Reading is EBADF.
class LineSink final : public WasiStream {
 public:
  using OnLine = std::function<void(std::string_view)>;

  // `line_bytes_max` is at least 1.
  LineSink(OnLine on_line, std::size_t line_bytes_max, std::size_t bytes_max);
  // Hands on the last line if it had no line feed.
  ~LineSink() override { flush(); }
  LineSink(const LineSink&) = delete;
  LineSink& operator=(const LineSink&) = delete;

  [[nodiscard]] std::size_t read_bytes_max() const override { return 0; }
  wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) override;
  wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) override;
  [[nodiscard]] wasi::FileType type() const override { return wasi::FileType::unknown; }
  [[nodiscard]] int descriptor() const override { return -1; }
  [[nodiscard]] std::uint64_t bytes_ready(wasi::EventType direction) const override;

  void flush();
  [[nodiscard]] std::uint64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  void take(std::string_view bytes);

  OnLine on_line_;
  std::size_t line_bytes_max_;
  std::size_t room_;
  std::string line_;
  std::uint64_t dropped_bytes_ = 0;
};

// A descriptor of the host, borrowed: it must stay open for as long.
class DescriptorStream final : public WasiStream {
 public:
  explicit DescriptorStream(int fd) : fd_(fd) {}

  [[nodiscard]] std::size_t read_bytes_max() const override;
  wasi::WasiResult<std::size_t> read(std::span<const std::span<std::byte>> into) override;
  wasi::WasiResult<std::size_t> write(std::span<const std::span<const std::byte>> from) override;
  // character_device for a terminal only, which is what makes a guest's C library buffer by lines.
  [[nodiscard]] wasi::FileType type() const override;
  [[nodiscard]] int descriptor() const override { return fd_; }
  [[nodiscard]] std::uint64_t bytes_ready(wasi::EventType direction) const override;

 private:
  int fd_;
};

}  // namespace nur
