#include "host/process/folder_watch.h"

#include <algorithm>
#include <cstring>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/log.h"

namespace nur {
namespace {

constexpr std::uint32_t kWhole =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;

bool can_matter(const Path& name) {
  const Path extension = name.extension();
  return extension == ".so" || extension == ".wasm" || extension == ".wat" || extension == ".toml";
}

// What is made without being written: another name for a file that is there.
bool is_link(const Path& file) {
  struct stat status {};
  return ::lstat(file.c_str(), &status) == 0 && (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(EventLoop& loop,
                                                       std::function<void()> on_change) {
  Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.is_open()) return fail(ErrorKind::exhausted, "{}", system_error_text("inotify"));
  const int number = fd.get();
  std::unique_ptr<FolderWatch> made(new FolderWatch(loop, std::move(fd), std::move(on_change)));
  NUR_TRY(loop.watch(number, EPOLLIN, *made));
  return made;
}

FolderWatch::FolderWatch(EventLoop& loop, Fd fd, std::function<void()> on_change)
    : loop_(loop), fd_(std::move(fd)), on_change_(std::move(on_change)) {}

FolderWatch::~FolderWatch() { loop_.unwatch(fd_.get(), *this); }

void FolderWatch::set(const std::vector<Path>& folders) {
  std::map<int, Path> now;
  for (const Path& folder : folders) {
    // Of a folder that is watched already it is the same number.
    const int watch =
        ::inotify_add_watch(fd_.get(), folder.c_str(), kWhole | IN_CREATE | IN_ONLYDIR);
    if (watch >= 0) {
      now.emplace(watch, folder);
    } else {
      spdlog::warn("not watching {}: {}; SIGHUP has what changes there served", folder.string(),
                   std::strerror(errno));
    }
  }
  for (const auto& [watch, folder] : folders_) {
    if (!now.contains(watch)) ::inotify_rm_watch(fd_.get(), watch);
  }
  folders_ = std::move(now);
}

bool FolderWatch::counts(int watch, std::uint32_t mask, const char* name) const {
  if ((mask & IN_Q_OVERFLOW) != 0) return true;
  const auto folder = folders_.find(watch);
  if (folder == folders_.end()) return false;
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) return true;
  if ((mask & IN_ISDIR) != 0 || !can_matter(name)) return false;
  return (mask & kWhole) != 0 || is_link(folder->second / name);
}

void FolderWatch::on_events(std::uint32_t) {
  alignas(inotify_event) char buffer[16 << 10];
  bool changed = false;
  // One read a turn: whoever writes on and on holds up nothing else.
  const ssize_t bytes = ::read(fd_.get(), buffer, sizeof buffer);
  for (ssize_t at = 0; at < bytes;) {
    const auto* const event = reinterpret_cast<const inotify_event*>(buffer + at);
    changed = changed || counts(event->wd, event->mask, event->len > 0 ? event->name : "");
    at += static_cast<ssize_t>(sizeof *event + event->len);
  }
  if (changed) on_change_();
}

}  // namespace nur
