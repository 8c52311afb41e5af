// What the tools behind nurc can reach: their scratch folder, and of the rest what they need.
//
// wasm2c and the C compiler are large programs that work on a stranger's bytes. Each runs
//
//   in namespaces of its own   no network; every mount read-only and without devices but the
//   scratch
//                              folder; no process to be seen but its own, which end with it
//   without rights             no capabilities, no set-user-ID programs (no_new_privs)
//   behind a system call filter  no sockets, no mounts, no tracing, no further namespaces
//
// Unprivileged users get namespaces through one of users. Where the kernel refuses them (a
// container, a chroot), Landlock keeps files outside the scratch folder from being written, and
// signals from leaving where it can. What there is is tried once, in a child that ends at once.
//
// Namespaces, mounts and filter cost 0.8 ms a tool (2 vCPUs, Linux 6.18; a compiler starts in 30).
#pragma once

#include <cstdint>
#include <linux/filter.h>
#include <string>
#include <sys/types.h>
#include <vector>

namespace nur {

class Fence {
 public:
  // The same for the whole life of the process.
  static const Fence& of_this_machine();

  // For people: "fenced: no network, ..." or what is missing and why.
  [[nodiscard]] const std::string& description() const { return description_; }
  // Whether the tool's processes are counted and ended apart from all others of this user.
  [[nodiscard]] bool has_own_processes() const { return namespaces_ != 0; }
  [[nodiscard]] bool counts_own_processes() const { return has_own_user_; }

  // The rest is called between fork and exec of a program with threads, and makes system calls
  // only. Each returns nullptr, or the step that failed, which errno explains.

  // By a process that has no threads; its next child is the first process inside. `folder` is what
  // may be written; nullptr for none.
  const char* enclose(const char* folder) const;
  // By the first process inside.
  void hide_processes() const;
  // By what becomes the tool.
  const char* confine(const char* folder) const;

 private:
  Fence() = default;
  static Fence probe();
  struct Verdict;
  [[nodiscard]] Verdict attempt() const;
  const char* restrict_files(const char* folder) const;

  int namespaces_ = 0;  // CLONE_NEW...
  bool has_own_user_ = false;
  int landlock_version_ = 0;  // 0: not used
  std::vector<sock_filter> filter_;
  std::string user_map_;
  std::string group_map_;
  std::string description_;
};

}  // namespace nur
