#include "compiler/object_cache.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <vector>

#include "base/artefact_file.h"

namespace nur {
namespace {

constexpr std::string_view kMagic("nur-object-v1\0\0\0", 16);
constexpr std::size_t kHeadBytes = kMagic.size() + sizeof(Sha256);

std::string_view bytes_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Result<ObjectCache> ObjectCache::open(const Path& folder, std::uint64_t bytes_max) {
  std::error_code error;
  if (folder.has_parent_path()) {
    std::filesystem::create_directories(folder.parent_path(), error);
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorKind::exhausted, "cache {}: {}; name another with --cache, or use --no-cache",
                folder.string(), std::strerror(errno));
  }
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::invalid_input, "cache {}: not a folder", folder.string());
  }
  if (status.st_uid != ::geteuid()) {
    return fail(ErrorKind::invalid_input,
                "cache {}: belongs to another user, who decides what would be linked; name another "
                "with --cache, or use --no-cache",
                folder.string());
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(ErrorKind::invalid_input,
                "cache {}: others may write to it and decide what is linked; chmod go-w {}",
                folder.string(), folder.string());
  }
  return ObjectCache(folder, bytes_max);
}

Path ObjectCache::path_of(std::string_view key) const {
  return folder_ / key.substr(0, 2) / key.substr(2);
}

std::optional<std::string> ObjectCache::find(std::string_view key) const {
  const Path path = path_of(key);
  Result<std::string> file = read_file(path, kArtefactBytesMax);
  if (!file || file->size() < kHeadBytes || !file->starts_with(kMagic)) return std::nullopt;
  std::string object = file->substr(kHeadBytes);
  const Sha256 digest = sha256(object);
  if (file->compare(kMagic.size(), digest.size(), bytes_of(digest)) != 0) return std::nullopt;
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // used now; trim() goes by it
  return object;
}

void ObjectCache::store(std::string_view key, std::string_view object) const {
  const Path path = path_of(key);
  ::mkdir(path.parent_path().c_str(), 0700);
  std::string entry(kMagic);
  entry += bytes_of(sha256(object));
  entry += object;
  // The digest tells what a power cut has damaged.
  (void)publish_file(path, entry, 0600, Durability::best_effort);
}

void ObjectCache::trim() const {
  struct Entry {
    std::filesystem::file_time_type used;
    std::uint64_t bytes;
    Path path;
  };
  std::vector<Entry> entries;
  std::uint64_t bytes = 0;
  std::error_code error;
  // Others may be at work in the folder: what vanishes meanwhile is passed over.
  for (std::filesystem::recursive_directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    Entry entry{at->last_write_time(ignored), at->file_size(ignored), at->path()};
    if (ignored) continue;
    bytes += entry.bytes;
    entries.push_back(std::move(entry));
  }
  if (bytes <= bytes_max_) return;
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (bytes <= bytes_max_) break;
    std::filesystem::remove(entry.path, error);
    bytes -= entry.bytes;
  }
}

}  // namespace nur
