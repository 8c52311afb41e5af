#include "host/upload/upload_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nur {
namespace {

constexpr std::string_view kTemporaryPrefix = ".nur-upload-";
// So that a folder of something else costs bounded time.
constexpr std::size_t kEntriesLookedAtMax = 100'000;

bool is_function(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".so") || name.ends_with(".wasm"));
}

Result<std::string> temporary_name() {
  std::array<unsigned char, 12> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(ErrorKind::internal, "{}", system_error_text("choosing a name"));
  }
  std::string name(kTemporaryPrefix);
  for (const unsigned char byte : bytes) name += fmt::format("{:02x}", byte);
  return name + ".tmp";
}

std::unexpected<Error> fail_errno(std::string_view verb, const std::string& name) {
  const ErrorKind kind = kind_of_errno(errno);
  return fail(kind, "{}", system_error_text(fmt::format("{} {}", verb, name)));
}

Result<void> write_all(int file, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("writing", name);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<UploadFolder> UploadFolder::open(const Path& folder) {
  Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return fail_errno("opening", folder.string());
  return UploadFolder(folder, std::move(opened));
}

Result<void> UploadFolder::check_writable() const {
  if (::faccessat(folder_.get(), ".", W_OK | X_OK, AT_EACCESS) == 0) return {};
  return fail(ErrorKind::invalid_input,
              "{}, as user {}; let that user write to it, or upload to another folder",
              system_error_text("writing to " + path_.string()), ::geteuid());
}

// In no order. At most kEntriesLookedAtMax.
Result<std::vector<std::string>> UploadFolder::names() const {
  // Its own place in the folder, which fdopendir() takes over.
  Fd again(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again.is_open()) return fail_errno("reading", path_.string());
  const std::unique_ptr<DIR, decltype(&::closedir)> entries(::fdopendir(again.get()), ::closedir);
  if (entries == nullptr) return fail_errno("reading", path_.string());
  (void)again.release();
  std::vector<std::string> names;
  while (names.size() < kEntriesLookedAtMax) {
    errno = 0;
    const dirent* const entry = ::readdir(entries.get());
    if (entry == nullptr && errno != 0) return fail_errno("reading", path_.string());
    if (entry == nullptr) break;
    names.emplace_back(entry->d_name);
  }
  return names;
}

void UploadFolder::remove_leftovers() const {
  const Result<std::vector<std::string>> all = names();
  if (!all) return;
  for (const std::string& name : *all) {
    if (!name.starts_with(kTemporaryPrefix)) continue;
    const Fd file(
        ::openat(folder_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    // One that is locked is another nurhost's, which is writing it.
    if (!file.is_open() || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    ::unlinkat(folder_.get(), name.c_str(), 0);
  }
}

bool UploadFolder::has(const std::string& name) const {
  struct stat status {};
  return ::fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<UploadFolder::Put> UploadFolder::put(const std::string& name, std::string_view bytes) const {
  struct stat status {};
  const bool is_there = ::fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::invalid_input, "{} is a folder", name);
  }
  if (!is_there) {
    const std::vector<std::string> others = NUR_TRY(names());
    const auto functions = static_cast<std::size_t>(std::ranges::count_if(others, is_function));
    if (functions >= kFilesMax || others.size() >= kEntriesLookedAtMax) {
      return fail(ErrorKind::limit_exceeded,
                  "the folder holds {} functions, as many as can be uploaded; delete some",
                  functions);
    }
  }

  const std::string temporary = NUR_TRY(temporary_name());
  const Fd file(::openat(folder_.get(), temporary.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.is_open()) return fail_errno("creating a file for", name);
  const auto write = [&]() -> Result<void> {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return fail_errno("locking a file for", name);
    NUR_TRY(write_all(file.get(), bytes, name));
    if (::fsync(file.get()) != 0) return fail_errno("syncing", name);
    if (::renameat(folder_.get(), temporary.c_str(), folder_.get(), name.c_str()) != 0) {
      return fail_errno("renaming to", name);
    }
    return {};
  };
  if (const Result<void> written = write(); !written) {
    ::unlinkat(folder_.get(), temporary.c_str(), 0);
    return std::unexpected(written.error());
  }
  // The file is there, whole; only a power cut could still take it back.
  if (::fsync(folder_.get()) != 0) return fail_errno("syncing the folder of", name);
  return is_there ? Put::replaced : Put::created;
}

Result<void> UploadFolder::remove(const std::string& name) const {
  if (::unlinkat(folder_.get(), name.c_str(), 0) != 0) {
    if (errno == EISDIR) return fail(ErrorKind::invalid_input, "{} is a folder", name);
    return fail_errno("removing", name);
  }
  if (::fsync(folder_.get()) != 0) return fail_errno("syncing the folder of", name);
  return {};
}

Result<std::vector<UploadFolder::File>> UploadFolder::list() const {
  std::vector<std::string> all = NUR_TRY(names());
  std::erase_if(all, [](const std::string& name) { return !is_function(name); });
  std::ranges::sort(all);
  std::vector<File> files;
  for (const std::string& name : all) {
    struct stat status {};
    // Of what a link leads to: that is what is served.
    if (::fstatat(folder_.get(), name.c_str(), &status, 0) != 0) continue;
    if (!S_ISREG(status.st_mode)) continue;
    if (files.size() == kFilesMax) break;
    files.push_back({name, static_cast<std::uint64_t>(status.st_size)});
  }
  return files;
}

}  // namespace nur
