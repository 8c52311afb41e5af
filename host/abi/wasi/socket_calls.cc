// Preview 1 can only use sockets it is handed, and none are: every open descriptor is something
// else. Pointers are never looked at.
#include "host/abi/wasi/calls.h"

namespace nur::wasi {

namespace {

Done refuse_socket(WasiProcess& process, GuestFd fd) {
  NUR_TRY(process.files().find(fd));
  return refuse(Errno::notsock);
}

}  // namespace

Done sock_accept(WasiProcess& process, const GuestMemory&, GuestFd fd, std::uint32_t, Pointer) {
  return refuse_socket(process, fd);
}

Done sock_recv(WasiProcess& process, const GuestMemory&, GuestFd fd, Pointer, Size, std::uint32_t,
               Pointer, Pointer) {
  return refuse_socket(process, fd);
}

Done sock_send(WasiProcess& process, const GuestMemory&, GuestFd fd, Pointer, Size, std::uint32_t,
               Pointer) {
  return refuse_socket(process, fd);
}

Done sock_shutdown(WasiProcess& process, const GuestMemory&, GuestFd fd, std::uint32_t) {
  return refuse_socket(process, fd);
}

}  // namespace nur::wasi
