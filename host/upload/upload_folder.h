// The folder that uploads go to: files are put, replaced and removed in one step each.
//
//   .nur-upload-XXXX.tmp --write, fsync--> rename to NAME.so --> fsync of the folder
//
// Who reads the folder sees the old file or the new one, whole, whenever the writer is killed.
// Names that begin with a dot are no functions. The temporary name is locked while its writer
// lives, so that the next one knows what was left behind.
//
// All calls go through the folder's descriptor, and names are single ones: nothing outside can be
// reached, wherever links lead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "base/result.h"

namespace nur {

class UploadFolder {
 public:
  // Functions that are told of, and that there may be before another one can be put beside them.
  static constexpr std::size_t kFilesMax = 10'000;

  // Errors: not_found; internal.
  static Result<UploadFolder> open(const Path& folder);

  // Whether this process may change it. Errors: invalid_input, saying who it is.
  [[nodiscard]] Result<void> check_writable() const;
  // What writers that were killed have left.
  void remove_leftovers() const;

  enum class Put { created, replaced };
  // Errors: exhausted (disk full), limit_exceeded (kFilesMax), invalid_input (a folder has the
  // name), internal. Then nothing has changed.
  [[nodiscard]] Result<Put> put(const std::string& name, std::string_view bytes) const;
  // Errors: not_found; invalid_input when it is no file; internal.
  [[nodiscard]] Result<void> remove(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const;

  struct File {
    std::string name;
    std::uint64_t bytes = 0;
  };
  // Artefacts and modules, by name; kFilesMax at most. Errors: internal.
  [[nodiscard]] Result<std::vector<File>> list() const;

  [[nodiscard]] int descriptor() const { return folder_.get(); }

 private:
  UploadFolder(Path path, Fd folder) : path_(std::move(path)), folder_(std::move(folder)) {}
  [[nodiscard]] Result<std::vector<std::string>> names() const;

  Path path_;  // for messages
  Fd folder_;
};

}  // namespace nur
