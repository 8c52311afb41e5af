// Every function of WASI preview 1 in C++ types, named and ordered as in imports.def.
//
// Parameters are the witx's, flattened: pointers and lengths are 32-bit numbers of the guest that
// nobody has checked. A call checks all its pointers before it changes anything, so EFAULT means
// that nothing happened. Enumerations and flags outside their lists are EINVAL.
//
// Errors common to all: badf for a descriptor that is not open, notcapable for a right that it
// lacks, fault for a pointer outside memory. Which right a call needs is in typenames.witx.
#pragma once

#include <cstdint>

#include "host/abi/wasi/process.h"
#include "host/abi/wasi/types.h"
#include "host/sandbox/guest_memory.h"
#include "host/sandbox/host_function.h"

namespace nur::wasi {

using Pointer = std::uint32_t;
using Size = std::uint32_t;
using GuestFd = std::uint32_t;
using Done = WasiResult<void>;

// Arguments, environment, end, chance: process_calls.cc.
Done args_get(WasiProcess&, const GuestMemory&, Pointer argv, Pointer argv_buf);
Done args_sizes_get(WasiProcess&, const GuestMemory&, Pointer count, Pointer buf_size);
Done environ_get(WasiProcess&, const GuestMemory&, Pointer environ, Pointer environ_buf);
Done environ_sizes_get(WasiProcess&, const GuestMemory&, Pointer count, Pointer buf_size);
HostReply proc_exit(WasiProcess&, const GuestMemory&, std::uint32_t status);
// Always notsup: preview 1 deprecates signals.
Done proc_raise(WasiProcess&, const GuestMemory&, std::uint32_t signal);
// inval above 4 MiB, so that one call does not hold up a worker.
Done random_get(WasiProcess&, const GuestMemory&, Pointer buf, Size buf_len);
Done sched_yield(WasiProcess&, const GuestMemory&);

// Clocks and waiting: clock_calls.cc, poll_call.cc. CPU-time clocks are notsup: they would measure
// the worker, not the guest.
Done clock_res_get(WasiProcess&, const GuestMemory&, std::uint32_t id, Pointer resolution);
Done clock_time_get(WasiProcess&, const GuestMemory&, std::uint32_t id, std::uint64_t precision,
                    Pointer time);
WasiResult<HostReply> poll_oneoff(WasiProcess&, const GuestMemory&, Pointer in, Pointer out,
                                  Size nsubscriptions, Pointer nevents);

// Bytes in and out: io_calls.cc.
Done fd_pread(WasiProcess&, const GuestMemory&, GuestFd, Pointer iovs, Size iovs_len,
              std::uint64_t offset, Pointer nread);
Done fd_pwrite(WasiProcess&, const GuestMemory&, GuestFd, Pointer iovs, Size iovs_len,
               std::uint64_t offset, Pointer nwritten);
WasiResult<HostReply> fd_read(WasiProcess&, const GuestMemory&, GuestFd, Pointer iovs,
                              Size iovs_len, Pointer nread);
Done fd_seek(WasiProcess&, const GuestMemory&, GuestFd, std::uint64_t delta, std::uint32_t whence,
             Pointer newoffset);
Done fd_tell(WasiProcess&, const GuestMemory&, GuestFd, Pointer offset);
WasiResult<HostReply> fd_write(WasiProcess&, const GuestMemory&, GuestFd, Pointer iovs,
                               Size iovs_len, Pointer nwritten);

// Descriptors and what is known of them: fd_calls.cc.
Done fd_advise(WasiProcess&, const GuestMemory&, GuestFd, std::uint64_t offset, std::uint64_t len,
               std::uint32_t advice);
Done fd_allocate(WasiProcess&, const GuestMemory&, GuestFd, std::uint64_t offset,
                 std::uint64_t len);
Done fd_close(WasiProcess&, const GuestMemory&, GuestFd);
Done fd_datasync(WasiProcess&, const GuestMemory&, GuestFd);
Done fd_fdstat_get(WasiProcess&, const GuestMemory&, GuestFd, Pointer stat);
Done fd_fdstat_set_flags(WasiProcess&, const GuestMemory&, GuestFd, std::uint32_t flags);
Done fd_fdstat_set_rights(WasiProcess&, const GuestMemory&, GuestFd, Rights base,
                          Rights inheriting);
Done fd_filestat_get(WasiProcess&, const GuestMemory&, GuestFd, Pointer stat);
Done fd_filestat_set_size(WasiProcess&, const GuestMemory&, GuestFd, std::uint64_t size);
Done fd_filestat_set_times(WasiProcess&, const GuestMemory&, GuestFd, std::uint64_t access_ns,
                           std::uint64_t modification_ns, std::uint32_t flags);
Done fd_renumber(WasiProcess&, const GuestMemory&, GuestFd from, GuestFd to);
Done fd_sync(WasiProcess&, const GuestMemory&, GuestFd);

// Directories as lists: directory_calls.cc.
Done fd_prestat_get(WasiProcess&, const GuestMemory&, GuestFd, Pointer prestat);
Done fd_prestat_dir_name(WasiProcess&, const GuestMemory&, GuestFd, Pointer path, Size path_len);
Done fd_readdir(WasiProcess&, const GuestMemory&, GuestFd, Pointer buf, Size buf_len,
                std::uint64_t cookie, Pointer bufused);

// Paths: path_calls.cc, path_open in open_call.cc.
Done path_create_directory(WasiProcess&, const GuestMemory&, GuestFd, Pointer path, Size path_len);
Done path_filestat_get(WasiProcess&, const GuestMemory&, GuestFd, std::uint32_t lookup,
                       Pointer path, Size path_len, Pointer stat);
Done path_filestat_set_times(WasiProcess&, const GuestMemory&, GuestFd, std::uint32_t lookup,
                             Pointer path, Size path_len, std::uint64_t access_ns,
                             std::uint64_t modification_ns, std::uint32_t flags);
// inval with symlink_follow: a link to what a symbolic link means is not offered.
Done path_link(WasiProcess&, const GuestMemory&, GuestFd old_fd, std::uint32_t old_lookup,
               Pointer old_path, Size old_len, GuestFd new_fd, Pointer new_path, Size new_len);
Done path_open(WasiProcess&, const GuestMemory&, GuestFd, std::uint32_t lookup, Pointer path,
               Size path_len, std::uint32_t oflags, Rights base, Rights inheriting,
               std::uint32_t fdflags, Pointer opened);
// perm for a link to an absolute path: it would tell about the host.
Done path_readlink(WasiProcess&, const GuestMemory&, GuestFd, Pointer path, Size path_len,
                   Pointer buf, Size buf_len, Pointer bufused);
Done path_remove_directory(WasiProcess&, const GuestMemory&, GuestFd, Pointer path, Size path_len);
Done path_rename(WasiProcess&, const GuestMemory&, GuestFd old_fd, Pointer old_path, Size old_len,
                 GuestFd new_fd, Pointer new_path, Size new_len);
Done path_symlink(WasiProcess&, const GuestMemory&, Pointer target, Size target_len, GuestFd,
                  Pointer path, Size path_len);
Done path_unlink_file(WasiProcess&, const GuestMemory&, GuestFd, Pointer path, Size path_len);

// There are no sockets: socket_calls.cc. notsock for any open descriptor.
Done sock_accept(WasiProcess&, const GuestMemory&, GuestFd, std::uint32_t flags, Pointer accepted);
Done sock_recv(WasiProcess&, const GuestMemory&, GuestFd, Pointer iovs, Size iovs_len,
               std::uint32_t flags, Pointer nread, Pointer roflags);
Done sock_send(WasiProcess&, const GuestMemory&, GuestFd, Pointer iovs, Size iovs_len,
               std::uint32_t flags, Pointer nwritten);
Done sock_shutdown(WasiProcess&, const GuestMemory&, GuestFd, std::uint32_t how);

}  // namespace nur::wasi
