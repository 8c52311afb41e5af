/* What a test program of one WASI function has: all functions of preview 1 as they are imported,
 * and checks. A program leaves at the first check that fails and says where on standard error; at
 * its end it prints a CGI answer, "ok". What it finds is made by the case that runs it:
 *
 *   arguments  NAME one "two words"            environment  A=1, B=two words (and more)
 *   input      "input"                         descriptors  3 /rw (writable), 4 /ro (read-only)
 *   /ro        file "0123456789", dir/ (empty), link -> file
 */
#ifndef NUR_TESTS_WASI_H
#define NUR_TESTS_WASI_H

typedef unsigned u32;
typedef unsigned long long u64;

#define WASI(name, ...) \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) u32 name(__VA_ARGS__)
WASI(args_get, void* list, void* bytes);
WASI(args_sizes_get, void* count, void* size);
WASI(environ_get, void* list, void* bytes);
WASI(environ_sizes_get, void* count, void* size);
WASI(clock_res_get, u32 id, void* resolution);
WASI(clock_time_get, u32 id, u64 precision, void* time);
WASI(fd_advise, u32 fd, u64 offset, u64 size, u32 advice);
WASI(fd_allocate, u32 fd, u64 offset, u64 size);
WASI(fd_close, u32 fd);
WASI(fd_datasync, u32 fd);
WASI(fd_fdstat_get, u32 fd, void* stat);
WASI(fd_fdstat_set_flags, u32 fd, u32 flags);
WASI(fd_fdstat_set_rights, u32 fd, u64 base, u64 inheriting);
WASI(fd_filestat_get, u32 fd, void* stat);
WASI(fd_filestat_set_size, u32 fd, u64 size);
WASI(fd_filestat_set_times, u32 fd, u64 access, u64 modification, u32 flags);
WASI(fd_pread, u32 fd, const void* vectors, u32 count, u64 offset, void* got);
WASI(fd_prestat_get, u32 fd, void* prestat);
WASI(fd_prestat_dir_name, u32 fd, void* path, u32 size);
WASI(fd_pwrite, u32 fd, const void* vectors, u32 count, u64 offset, void* wrote);
WASI(fd_read, u32 fd, const void* vectors, u32 count, void* got);
WASI(fd_readdir, u32 fd, void* buffer, u32 size, u64 cookie, void* used);
WASI(fd_renumber, u32 from, u32 to);
WASI(fd_seek, u32 fd, u64 delta, u32 whence, void* position);
WASI(fd_sync, u32 fd);
WASI(fd_tell, u32 fd, void* position);
WASI(fd_write, u32 fd, const void* vectors, u32 count, void* wrote);
WASI(path_create_directory, u32 fd, const void* path, u32 size);
WASI(path_filestat_get, u32 fd, u32 lookup, const void* path, u32 size, void* stat);
WASI(path_filestat_set_times, u32 fd, u32 lookup, const void* path, u32 size, u64 access,
     u64 modification, u32 flags);
WASI(path_link, u32 from, u32 lookup, const void* path, u32 size, u32 to, const void* name,
     u32 name_size);
WASI(path_open, u32 fd, u32 lookup, const void* path, u32 size, u32 oflags, u64 base,
     u64 inheriting, u32 fdflags, void* opened);
WASI(path_readlink, u32 fd, const void* path, u32 size, void* buffer, u32 buffer_size, void* used);
WASI(path_remove_directory, u32 fd, const void* path, u32 size);
WASI(path_rename, u32 from, const void* path, u32 size, u32 to, const void* name, u32 name_size);
WASI(path_symlink, const void* target, u32 target_size, u32 fd, const void* path, u32 size);
WASI(path_unlink_file, u32 fd, const void* path, u32 size);
WASI(poll_oneoff, const void* subscriptions, void* events, u32 count, void* happened);
WASI(proc_raise, u32 signal);
WASI(sched_yield, void);
WASI(random_get, void* buffer, u32 size);
WASI(sock_accept, u32 fd, u32 flags, void* accepted);
WASI(sock_recv, u32 fd, const void* vectors, u32 count, u32 flags, void* got, void* flags_out);
WASI(sock_send, u32 fd, const void* vectors, u32 count, u32 flags, void* sent);
WASI(sock_shutdown, u32 fd, u32 how);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"))) _Noreturn void
proc_exit(u32 status);

enum {
  success = 0,
  badf = 8,
  exist = 20,
  fault = 21,
  fbig = 22,
  inval = 28,
  isdir = 31,
  loop = 32,
  nametoolong = 37,
  noent = 44,
  notdir = 54,
  notempty = 55,
  notsock = 57,
  notsup = 58,
  perm = 63,
  spipe = 70,
  notcapable = 76,
};
enum { input = 0, output = 1, errors = 2, rw = 3, ro = 4, nowhere = 99 };
enum { o_create = 1, o_directory = 2, o_exclusive = 4, o_truncate = 8 };
enum { right_read = 2, right_seek = 4, right_write = 64 };
#define all_rights (~0ULL)
/* No module here has so much memory. */
#define outside ((void*)0xfffffff0u)

typedef struct {
  const void* bytes;
  u32 size;
} vector;

static u32 length(const char* text) {
  u32 count = 0;
  while (text[count] != 0) ++count;
  return count;
}
static int same(const void* a, const void* b, u32 size) {
  for (u32 i = 0; i < size; ++i) {
    if (((const char*)a)[i] != ((const char*)b)[i]) return 0;
  }
  return 1;
}
static void print(u32 fd, const char* text) {
  const vector piece = {text, length(text)};
  u32 wrote;
  fd_write(fd, &piece, 1, &wrote);
}
static void print_number(u32 number) {
  char digits[11] = {0};
  int at = 10;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  print(errors, digits + at);
}
static _Noreturn void fail(u32 line, u32 got) {
  print(errors, "line ");
  print_number(line);
  print(errors, ": got ");
  print_number(got);
  print(errors, "\n");
  proc_exit(1);
}
#define expect(wanted, call)                              \
  do {                                                    \
    const u32 returned_ = (call);                         \
    if (returned_ != (wanted)) fail(__LINE__, returned_); \
  } while (0)
#define check(condition)                 \
  do {                                   \
    if (!(condition)) fail(__LINE__, 0); \
  } while (0)
/* A path and its length. */
#define path(text) (text), length(text)

/* A new file in /rw with these contents; its descriptor. */
static inline u32 file_with(const char* name, const char* contents) {
  u32 fd = 0;
  u32 wrote = 0;
  const vector piece = {contents, length(contents)};
  expect(success,
         path_open(rw, 0, path(name), o_create | o_truncate, all_rights, all_rights, 0, &fd));
  expect(success, fd_write(fd, &piece, 1, &wrote));
  check(wrote == piece.size);
  return fd;
}
/* The file of /ro. */
static inline u32 read_only_file(void) {
  u32 fd = 0;
  expect(success, path_open(ro, 0, path("file"), 0,
                            right_read | right_seek | 1 << 5 | 1 << 7 | 1 << 21, 0, 0, &fd));
  return fd;
}

void test(void);
__attribute__((export_name("_start"))) void start(void) {
  test();
  print(output, "Content-Type: text/plain\n\nok\n");
}

#endif
