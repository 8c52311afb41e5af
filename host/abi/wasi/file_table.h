// What the small numbers that a guest calls file descriptors stand for.
//
// A guest's number is an index here and nothing else: no number it makes up reaches a descriptor of
// the host. Rights only ever shrink. The table has a fixed capacity; the lowest free number is
// given out, as POSIX has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "host/abi/wasi/streams.h"
#include "host/abi/wasi/types.h"

namespace nur::wasi {

struct OpenFile {
  // Exactly one of the two is set: a standard stream, or a file or directory of the host. A
  // directory given to many guests is shared among them, and nothing here moves its file offset.
  WasiStream* stream = nullptr;
  std::shared_ptr<const Fd> host;

  FileType type = FileType::unknown;
  std::uint16_t flags = 0;  // fd_flag
  Rights base = 0;
  Rights inheriting = 0;
  std::optional<std::string> preopened_as;  // the guest's path of a preopened directory

  [[nodiscard]] bool is_directory() const { return host && type == FileType::directory; }
};

class FileTable {
 public:
  explicit FileTable(std::size_t capacity) : capacity_(capacity) {}

  // Errors: mfile when the table is full.
  WasiResult<std::uint32_t> insert(OpenFile file);
  // Errors: mfile, as insert would have it.
  [[nodiscard]] WasiResult<void> check_room() const;

  // Errors: badf.
  WasiResult<void> close(std::uint32_t fd);

  // Gives the file at `from` the number `to`, whose own file is closed. Both must be open.
  // Errors: badf.
  WasiResult<void> renumber(std::uint32_t from, std::uint32_t to);

  // The open file of that number; valid until the table changes. Errors: badf.
  WasiResult<OpenFile*> find(std::uint32_t fd);

  // The same, with `needed` among its rights. Errors: badf; notcapable.
  WasiResult<OpenFile*> find(std::uint32_t fd, Rights needed);

  // The same for what bytes can be read from or written to. Errors: badf; isdir; notcapable.
  WasiResult<OpenFile*> find_readable_or_writable(std::uint32_t fd, Rights needed);

  // The same for a file with a position. Errors: badf; isdir; spipe for a stream; notcapable.
  WasiResult<OpenFile*> find_regular(std::uint32_t fd, Rights needed);

  // The same for a directory. Errors: badf; notdir; notcapable.
  WasiResult<OpenFile*> find_directory(std::uint32_t fd, Rights needed);

 private:
  std::size_t capacity_;
  std::vector<std::optional<OpenFile>> files_;  // never longer than capacity_
};

}  // namespace nur::wasi
