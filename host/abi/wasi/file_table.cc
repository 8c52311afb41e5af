#include "host/abi/wasi/file_table.h"

#include <algorithm>
#include <utility>

namespace nur::wasi {

namespace {

WasiResult<void> check_rights(const OpenFile& file, Rights needed) {
  if ((file.base & needed) != needed) return refuse(Errno::notcapable);
  return {};
}

}  // namespace

WasiResult<void> FileTable::check_room() const {
  if (files_.size() < capacity_) return {};
  const bool has_gap = std::any_of(files_.begin(), files_.end(),
                                   [](const std::optional<OpenFile>& file) { return !file; });
  if (!has_gap) return refuse(Errno::mfile);
  return {};
}

WasiResult<std::uint32_t> FileTable::insert(OpenFile file) {
  NUR_TRY(check_room());
  const auto gap = std::find_if(files_.begin(), files_.end(),
                                [](const std::optional<OpenFile>& held) { return !held; });
  const auto fd = static_cast<std::uint32_t>(gap - files_.begin());
  if (gap == files_.end()) {
    files_.emplace_back(std::move(file));
  } else {
    *gap = std::move(file);
  }
  return fd;
}

WasiResult<void> FileTable::close(std::uint32_t fd) {
  NUR_TRY(find(fd));
  files_[fd].reset();
  return {};
}

WasiResult<void> FileTable::renumber(std::uint32_t from, std::uint32_t to) {
  NUR_TRY(find(from));
  NUR_TRY(find(to));
  if (from == to) return {};
  files_[to] = std::move(files_[from]);
  files_[from].reset();
  return {};
}

WasiResult<OpenFile*> FileTable::find(std::uint32_t fd) {
  if (fd >= files_.size() || !files_[fd]) return refuse(Errno::badf);
  return &*files_[fd];
}

WasiResult<OpenFile*> FileTable::find(std::uint32_t fd, Rights needed) {
  OpenFile* const file = NUR_TRY(find(fd));
  NUR_TRY(check_rights(*file, needed));
  return file;
}

WasiResult<OpenFile*> FileTable::find_readable_or_writable(std::uint32_t fd, Rights needed) {
  OpenFile* const file = NUR_TRY(find(fd));
  if (file->is_directory()) return refuse(Errno::isdir);
  NUR_TRY(check_rights(*file, needed));
  return file;
}

WasiResult<OpenFile*> FileTable::find_regular(std::uint32_t fd, Rights needed) {
  OpenFile* const file = NUR_TRY(find(fd));
  if (file->is_directory()) return refuse(Errno::isdir);
  if (file->stream != nullptr) return refuse(Errno::spipe);
  NUR_TRY(check_rights(*file, needed));
  return file;
}

WasiResult<OpenFile*> FileTable::find_directory(std::uint32_t fd, Rights needed) {
  OpenFile* const file = NUR_TRY(find(fd));
  if (!file->is_directory()) return refuse(Errno::notdir);
  NUR_TRY(check_rights(*file, needed));
  return file;
}

}  // namespace nur::wasi
