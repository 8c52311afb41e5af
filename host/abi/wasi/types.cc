#include "host/abi/wasi/types.h"

#include <cerrno>
#include <sys/stat.h>

namespace nur::wasi {

Errno from_host(int host_errno) {
  switch (host_errno) {
    case 0:
      return Errno::success;
    case E2BIG:
      return Errno::too_big;
    case EACCES:
      return Errno::acces;
    case EAGAIN:
      return Errno::again;
    case EBADF:
      return Errno::badf;
    case EBUSY:
      return Errno::busy;
    case EDEADLK:
      return Errno::deadlk;
    case EDQUOT:
      return Errno::dquot;
    case EEXIST:
      return Errno::exist;
    case EFAULT:
      return Errno::fault;
    case EFBIG:
      return Errno::fbig;
    case EILSEQ:
      return Errno::ilseq;
    case EINTR:
      return Errno::intr;
    case EINVAL:
      return Errno::inval;
    case EISDIR:
      return Errno::isdir;
    case ELOOP:
      return Errno::loop;
    case EMFILE:
      return Errno::mfile;
    case EMLINK:
      return Errno::mlink;
    case ENAMETOOLONG:
      return Errno::nametoolong;
    case ENFILE:
      return Errno::nfile;
    case ENODEV:
      return Errno::nodev;
    case ENOENT:
      return Errno::noent;
    case ENOLCK:
      return Errno::nolck;
    case ENOMEM:
      return Errno::nomem;
    case ENOSPC:
      return Errno::nospc;
    case ENOSYS:
      return Errno::nosys;
    case ENOTDIR:
      return Errno::notdir;
    case ENOTEMPTY:
      return Errno::notempty;
    case ENOTSOCK:
      return Errno::notsock;
    case EOPNOTSUPP:
      return Errno::notsup;
    case ENOTTY:
      return Errno::notty;
    case ENXIO:
      return Errno::nxio;
    case EOVERFLOW:
      return Errno::overflow;
    case EPERM:
      return Errno::perm;
    case EPIPE:
      return Errno::pipe;
    case ERANGE:
      return Errno::range;
    case EROFS:
      return Errno::rofs;
    case ESPIPE:
      return Errno::spipe;
    case ESTALE:
      return Errno::stale;
    case ETIMEDOUT:
      return Errno::timedout;
    case ETXTBSY:
      return Errno::txtbsy;
    case EXDEV:
      return Errno::xdev;
    default:
      return Errno::io;
  }
}

std::unexpected<Errno> refuse_by_host() { return refuse(from_host(errno)); }

FileType file_type_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFBLK:
      return FileType::block_device;
    case S_IFCHR:
      return FileType::character_device;
    case S_IFDIR:
      return FileType::directory;
    case S_IFREG:
      return FileType::regular_file;
    case S_IFSOCK:
      return FileType::socket_stream;
    case S_IFLNK:
      return FileType::symbolic_link;
    default:
      return FileType::unknown;  // pipes: preview 1 has no word for them
  }
}

}  // namespace nur::wasi
