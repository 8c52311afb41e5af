#include "host/artefact/file_identity.h"

#include <chrono>
#include <sys/stat.h>

namespace nur {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

}  // namespace

std::optional<FileIdentity> FileIdentity::of(const Path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t changed = nanoseconds(status.st_ctim);
  return FileIdentity{.device = status.st_dev,
                      .inode = status.st_ino,
                      .bytes = static_cast<std::uint64_t>(status.st_size),
                      .modified_ns = nanoseconds(status.st_mtim),
                      .changed_ns = changed,
                      .rests = nanoseconds(now) - changed > kSecond};
}

bool FileIdentity::is_surely(const FileIdentity& other) const {
  return rests && other.rests && is_same_as(other);
}

bool FileIdentity::is_same_as(const FileIdentity& other) const {
  return device == other.device && inode == other.inode && bytes == other.bytes &&
         modified_ns == other.modified_ns && changed_ns == other.changed_ns;
}

}  // namespace nur
