// Whole files in and out, and a scratch folder that removes itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace nur {

using Path = std::filesystem::path;

// "opening hello.so: No such file or directory" for the errno of now.
std::string system_error_text(std::string_view what);

// What a caller can do about an errno of the file system's.
ErrorKind kind_of_errno(int error);

// Errors: not_found; limit_exceeded above `bytes_max`; invalid_input when it is no regular file;
// internal.
Result<std::string> read_file(const Path& path, std::size_t bytes_max);

// Plain write for files nobody else looks at yet (a scratch folder).
// Errors: exhausted (disk full); internal.
Result<void> write_file(const Path& path, std::string_view bytes);

// The same of pieces, one behind the other.
Result<void> write_file(const Path& path, std::span<const std::string_view> pieces);

// Whether what is published must still be there after a power cut.
enum class Durability { synced, best_effort };

// Puts `bytes` at `path` in one step: a nameless file in the same folder is written, fsynced, named
// and renamed over the old one, and the folder is fsynced (not with best_effort: after a power cut
// the file may be empty or cut short). Readers see the old file or the new one; a crash leaves the
// old one, and no other name (janitor.h). Permissions are `mode` less the umask. Errors: exhausted
// (disk full), not_found (no such folder), internal.
Result<void> publish_file(const Path& path, std::string_view bytes, unsigned mode = 0644,
                          Durability durability = Durability::synced);

// An anonymous file in memory that can no longer be changed by anyone (F_SEAL_*), holding `bytes`.
// Errors: exhausted.
Result<Fd> sealed_memfd(const std::string& name, std::string_view bytes);

class Janitor;

// A fresh folder below $TMPDIR or /tmp, readable by its owner alone, removed with all it holds; by
// a janitor when this process is killed.
class ScratchDir {
 public:
  static Result<ScratchDir> create(std::string_view prefix);
  ~ScratchDir();
  ScratchDir(ScratchDir&& other) noexcept;
  ScratchDir& operator=(ScratchDir&&) = delete;

  [[nodiscard]] const Path& path() const { return path_; }

 private:
  ScratchDir(Path path, std::unique_ptr<Janitor> janitor);
  Path path_;
  std::unique_ptr<Janitor> janitor_;
};

}  // namespace nur
