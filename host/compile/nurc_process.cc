#include "host/compile/nurc_process.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace nur {
namespace {

bool can_be_run(const Path& file) {
  std::error_code error;
  return std::filesystem::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
}

}  // namespace

Result<Path> find_nurc() {
  std::error_code error;
  const Path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const Path beside = self.parent_path() / "nurc";
  if (!error && can_be_run(beside)) return beside;
  const char* const path = std::getenv("PATH");
  std::string_view folders = path != nullptr ? path : "";
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    // Only whole paths: what runs shall not depend on where nurhost was started.
    const Path file = Path(folder) / "nurc";
    if (folder.starts_with('/') && can_be_run(file)) return file;
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
  }
  return fail(ErrorKind::not_found,
              "there is no nurc beside {} or on PATH to compile modules with; install it, or "
              "compile them elsewhere and serve the artefacts (.so)",
              self.empty() ? "nurhost" : self.string());
}

Result<bool> run_nurc(const Path& nurc, std::span<const std::string> arguments) {
  std::vector<char*> argv{const_cast<char*>(nurc.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, nurc.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail(ErrorKind::internal, "starting {}: {}", nurc.string(), std::strerror(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return fail(ErrorKind::internal, "{}", system_error_text("nurc"));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace nur
