// How a guest's path becomes an object of the host, never one outside its directory.
//
// Every path is resolved by openat2(2) with RESOLVE_BENEATH: the kernel refuses "..", absolute
// paths and symbolic links that lead above the directory, at every step and without a race.
// RESOLVE_NO_MAGICLINKS keeps /proc/N/fd out, RESOLVE_NO_XDEV what is mounted inside. All three are
// EPERM for the guest (magic links: ELOOP).
//
// Calls that make, remove or name a directory entry have no openat2 form. For them all but the last
// component is resolved so, and the *at(2) call gets the parent and one name without a slash in it.
// Those calls do not follow a link at that name, except through a slash behind it; where that would
// happen (link source, readlink) the slash is kept from the kernel.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/fd.h"
#include "host/abi/wasi/types.h"

namespace nur::wasi {

// open(2) of a path beneath `directory`; O_CLOEXEC is added. `mode` counts with O_CREAT only.
// Errors: perm when it leads out; otherwise as open(2).
WasiResult<Fd> open_beneath(int directory, const std::string& path, int flags, mode_t mode = 0);

struct LastComponent {
  Fd parent;         // O_PATH
  std::string name;  // not empty, without a slash, not ".."
  bool slash;        // the path ended in one: a directory is meant

  // The name as calls take it that do not follow a link through its slash (mkdir, rmdir, unlink,
  // rename, symlink and the new name of link).
  [[nodiscard]] std::string name_with_slash() const { return slash ? name + "/" : name; }
};

// The directory that holds the last component of `path`, which itself need not exist.
// Errors: noent for an empty path; perm when it leads out or ends in ".."; as open(2).
WasiResult<LastComponent> open_parent(int directory, const std::string& path);

// Whether a symbolic link in `parent` may hold `target`: it is relative, goes no higher than
// `directory`, and ".." comes first or not at all ("a/.." depends on what a is when it is
// followed). A guest could not follow other links; programs of the host that read its files could.
// A link that is moved to a higher place later is not looked at again.
// Errors: perm.
WasiResult<void> check_link_target(int directory, int parent, std::string_view target);

}  // namespace nur::wasi
