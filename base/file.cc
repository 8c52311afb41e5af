#include "base/file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/janitor.h"

namespace nur {
namespace {

std::unexpected<Error> fail_errno(std::string_view verb, const Path& path) {
  const int error = errno;
  return fail(kind_of_errno(error), "{} {}: {}", verb, path.string(), std::strerror(error));
}

Result<void> write_all(int fd, std::string_view bytes, const Path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail_errno("writing", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

std::string random_name() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<unsigned char, 12> bytes{};
  NUR_CHECK(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  std::string name;
  for (const unsigned char byte : bytes) name += kLetters[byte % kLetters.size()];
  return name;
}

// A name beside `path` that nobody else chooses, and not longer however long that is.
Path temporary_name(const Path& path) {
  return path.parent_path() / fmt::format(".nur-{}.tmp", random_name());
}

// Gives `file` the name `path`, in one step or by renaming its temporary one.
Result<void> name_and_rename(const Fd& file, Path temporary, const Path& path) {
  std::optional<Janitor> janitor;
  if (temporary.empty()) {
    const std::string source = fmt::format("/proc/self/fd/{}", file.get());
    // Where there is nothing yet, the name appears with all of its bytes in one step.
    if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      return {};
    }
    temporary = temporary_name(path);
    janitor.emplace(NUR_TRY(Janitor::watch(temporary)));
    if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return fail_errno("naming", temporary);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto failure = fail_errno("renaming to", path);
    ::unlink(temporary.c_str());
    return failure;
  }
  return {};
}

}  // namespace

ErrorKind kind_of_errno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::not_found;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorKind::exhausted;
    default:
      return ErrorKind::internal;
  }
}

std::string system_error_text(std::string_view what) {
  const int error = errno;
  return fmt::format("{}: {}", what, std::strerror(error));
}

Result<std::string> read_file(const Path& path, std::size_t bytes_max) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return fail_errno("opening", path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno("looking at", path);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::invalid_input, "reading {}: not a regular file", path.string());
  }

  // The size is a hint only; the file may change while it is read.
  std::string bytes;
  bytes.resize(std::min<std::size_t>(static_cast<std::size_t>(status.st_size), bytes_max) + 1);
  std::size_t filled = 0;
  while (true) {
    const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail_errno("reading", path);
    }
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (filled > bytes_max) {
      return fail(ErrorKind::limit_exceeded, "reading {}: more than {} bytes", path.string(),
                  bytes_max);
    }
    if (filled == bytes.size()) bytes.resize(std::min(bytes.size() * 2, bytes_max + 1));
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> write_file(const Path& path, std::string_view bytes) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return fail_errno("creating", path);
  return write_all(file.get(), bytes, path);
}

Result<void> write_file(const Path& path, std::span<const std::string_view> pieces) {
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  std::string joined;
  joined.reserve(bytes);
  for (const std::string_view piece : pieces) joined += piece;
  return write_file(path, joined);
}

Result<void> publish_file(const Path& path, std::string_view bytes, unsigned mode,
                          Durability durability) {
  const Path folder = path.has_parent_path() ? path.parent_path() : Path(".");

  // A file without a name vanishes with its last descriptor, so that no crash leaves one behind.
  // Some file systems have none; there the temporary name is unlinked on every error.
  Path temporary;
  std::optional<Janitor> janitor;
  Fd file(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));
  if (!file.is_open() && (errno == EOPNOTSUPP || errno == EISDIR)) {
    temporary = temporary_name(path);
    janitor.emplace(NUR_TRY(Janitor::watch(temporary)));
    file = Fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  }
  if (!file.is_open()) return fail_errno("creating a file in", folder);

  Result<void> written = write_all(file.get(), bytes, path);
  const bool synced = durability == Durability::synced;
  if (written && synced && ::fsync(file.get()) != 0) written = fail_errno("syncing", path);
  if (!written) {
    if (!temporary.empty()) ::unlink(temporary.c_str());
    return written;
  }
  NUR_TRY(name_and_rename(file, temporary, path));
  if (!synced) return {};

  const Fd parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.is_open() || ::fsync(parent.get()) != 0) return fail_errno("syncing", folder);
  return {};
}

Result<Fd> sealed_memfd(const std::string& name, std::string_view bytes) {
  // MFD_EXEC: kernels from 6.3 on may make memfds non-executable unless asked (vm.memfd_noexec).
  constexpr unsigned kMfdExec = 0x10;
  Fd file(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | kMfdExec));
  if (!file.is_open() && errno == EINVAL) {
    file = Fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (!file.is_open()) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating a memory file"));
  }
  NUR_TRY(write_all(file.get(), bytes, name));
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
      0) {
    return fail(ErrorKind::internal, "{}", system_error_text("sealing a memory file"));
  }
  return file;
}

Result<ScratchDir> ScratchDir::create(std::string_view prefix) {
  const char* root = std::getenv("TMPDIR");
  const Path path =
      Path(root != nullptr && *root ? root : "/tmp") / fmt::format("{}{}", prefix, random_name());
  Janitor janitor = NUR_TRY(Janitor::make_folder(path));
  return ScratchDir(path, std::make_unique<Janitor>(std::move(janitor)));
}

ScratchDir::ScratchDir(Path path, std::unique_ptr<Janitor> janitor)
    : path_(std::move(path)), janitor_(std::move(janitor)) {}

ScratchDir::ScratchDir(ScratchDir&& other) noexcept
    : path_(std::exchange(other.path_, Path())), janitor_(std::move(other.janitor_)) {}

ScratchDir::~ScratchDir() {
  if (path_.empty()) return;
  std::error_code ignored;  // what cannot be removed now is the system's temporary-file cleaner's
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace nur
