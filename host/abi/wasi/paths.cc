#include "host/abi/wasi/paths.h"

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "host/abi/wasi/file_status.h"

namespace nur::wasi {

namespace {

// openat2 gives EAGAIN when something below was renamed while ".." was being resolved. Few tries
// are enough unless somebody renames all the time, and then the guest is told EAGAIN.
constexpr int kTriesMax = 16;

// Deeper directories than a path can name are not looked for.
constexpr int kDepthMax = 2048;

// How many levels `parent` lies below `directory`. Errors: perm when it no longer does.
WasiResult<int> depth_below(int directory, int parent) {
  struct stat top;
  if (status_of(directory, top) != 0) return refuse_by_host();
  Fd here;
  int at = parent;
  for (int depth = 0; depth < kDepthMax; ++depth) {
    struct stat status;
    if (status_of(at, status) != 0) return refuse_by_host();
    if (status.st_dev != top.st_dev) break;
    if (status.st_ino == top.st_ino) return depth;
    open_how how = {};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    Fd above(static_cast<int>(::syscall(SYS_openat2, at, "..", &how, sizeof(how))));
    if (!above.is_open()) return refuse_by_host();
    here = std::move(above);
    at = here.get();
  }
  return refuse(Errno::perm);
}

}  // namespace

WasiResult<Fd> open_beneath(int directory, const std::string& path, int flags, mode_t mode) {
  struct open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const long fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how));
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno == EXDEV) return refuse(Errno::perm);
    if (errno != EAGAIN && errno != EINTR) return refuse_by_host();
  }
  return refuse(Errno::again);
}

WasiResult<LastComponent> open_parent(int directory, const std::string& path) {
  if (path.empty()) return refuse(Errno::noent);
  if (path.front() == '/') return refuse(Errno::perm);
  const std::size_t end = path.find_last_not_of('/') + 1;
  const std::string trimmed = path.substr(0, end);
  const std::size_t slash = trimmed.rfind('/');

  LastComponent last;
  last.slash = end != path.size();
  last.name = slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
  if (last.name == "..") return refuse(Errno::perm);
  const std::string parent = slash == std::string::npos ? "." : trimmed.substr(0, slash + 1);
  last.parent = NUR_TRY(open_beneath(directory, parent, O_PATH | O_DIRECTORY));
  return last;
}

WasiResult<void> check_link_target(int directory, int parent, std::string_view target) {
  if (target.starts_with('/')) return refuse(Errno::perm);
  int levels_up = 0;
  bool below = false;
  while (!target.empty()) {
    const std::size_t end = target.find('/');
    const std::string_view component = target.substr(0, end);
    target.remove_prefix(end == std::string_view::npos ? target.size() : end + 1);
    if (component.empty() || component == ".") continue;
    if (component != "..") {
      below = true;
      continue;
    }
    if (below) return refuse(Errno::perm);
    ++levels_up;
  }
  if (levels_up == 0) return {};
  const int depth = NUR_TRY(depth_below(directory, parent));
  if (levels_up > depth) return refuse(Errno::perm);
  return {};
}

}  // namespace nur::wasi
