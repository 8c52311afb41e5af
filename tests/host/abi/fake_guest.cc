#include "tests/host/abi/fake_guest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "host/abi/wasi/functions.h"

namespace nur {

namespace {

#define NUR_IMPORT(module, name, parameters, results) {#module "." #name, parameters, results},
constexpr WasiSignature kImports[] = {
#include "nur/imports.def"
};

std::vector<WasiSignature> preview1_of_imports() {
  constexpr std::string_view kModule = "wasi_snapshot_preview1.";
  std::vector<WasiSignature> signatures;
  for (WasiSignature signature : kImports) {
    if (!signature.name.starts_with(kModule)) continue;
    signature.name.remove_prefix(kModule.size());
    signatures.push_back(signature);
  }
  return signatures;
}

const WasiSignature& signature_of(std::string_view name) {
  const auto all = wasi_signatures();
  const auto found = std::find_if(all.begin(), all.end(), [name](const WasiSignature& signature) {
    return signature.name == name;
  });
  NUR_CHECK(found != all.end());
  return *found;
}

std::uint32_t bytes_of(std::string_view text) { return static_cast<std::uint32_t>(text.size()); }

}  // namespace

std::span<const WasiSignature> wasi_signatures() {
  static const std::vector<WasiSignature> signatures = preview1_of_imports();
  return signatures;
}

FakeGuest::FakeGuest(WasiOptions options) : slot_(*MemorySlot::reserve(kPageBytes, kPageBytes)) {
  NUR_CHECK(slot_.commit_initial(kMemoryBytes));
  barrier_ = WriteBarrier(slot_.area(), 1, pages_in(kMemoryBytes), slot_.saves());
  Result<WasiProcess> created = WasiProcess::create(std::move(options));
  NUR_CHECK(created);
  process_.emplace(*std::move(created));
}

std::uint32_t FakeGuest::room(std::uint32_t bytes) {
  NUR_CHECK(bytes <= kMemoryBytes / 2);
  if (next_ + bytes > kMemoryBytes) next_ = 64;
  const std::uint32_t address = next_;
  next_ += (bytes + 15) & ~15u;
  return address;
}

std::uint32_t FakeGuest::put(std::string_view bytes) {
  const std::uint32_t address = room(bytes_of(bytes));
  const auto place = memory().writable(address, bytes.size());
  NUR_CHECK(place);
  std::ranges::copy(std::as_bytes(std::span(bytes)), place->data());
  return address;
}

std::string FakeGuest::text(std::uint32_t address, std::uint32_t bytes) const {
  return std::string(memory().text(address, bytes).value());
}

wasi::Errno FakeGuest::call(std::string_view name,
                            std::initializer_list<std::uint64_t> parameters) {
  return call(name, std::span(parameters.begin(), parameters.size()));
}

wasi::Errno FakeGuest::call(std::string_view name, std::span<const std::uint64_t> parameters) {
  const WasiSignature& signature = signature_of(name);
  NUR_CHECK(parameters.size() == signature.parameters.size());
  // Exactly the room that the contract promises, so that a sanitizer sees a function that uses
  // more.
  std::vector<nur_value> values(std::max<std::size_t>(
      signature.parameters.size(), std::max<std::size_t>(signature.results.size(), 1)));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (signature.parameters[i] == 'I') {
      values[i].i64 = parameters[i];
    } else {
      values[i].i32 = static_cast<std::uint32_t>(parameters[i]);
    }
  }
  last_reply_ = find_wasi_function(name)(&*process_, memory(), values.data());
  return signature.results.empty() ? wasi::Errno::success : static_cast<wasi::Errno>(values[0].i32);
}

wasi::Errno FakeGuest::write(std::uint32_t fd, std::string_view bytes) {
  return call("fd_write", {fd, put_vector(put(bytes), bytes_of(bytes)), 1, room(4)});
}

std::string FakeGuest::read(std::uint32_t fd, std::uint32_t bytes_max) {
  const std::uint32_t buffer = room(bytes_max);
  const std::uint32_t got = room(4);
  if (call("fd_read", {fd, put_vector(buffer, bytes_max), 1, got}) != wasi::Errno::success) {
    return {};
  }
  return text(buffer, value<std::uint32_t>(got));
}

FakeGuest::Opened FakeGuest::open(std::uint32_t directory, std::string_view path,
                                  std::uint32_t oflags, wasi::Rights base, std::uint32_t lookup,
                                  std::uint32_t fdflags) {
  // As a C library does: what the directory does not hand down is not asked for.
  const std::uint32_t stat = room(sizeof(wasi::FdStat));
  if (base == ~wasi::Rights{0} &&
      call("fd_fdstat_get", {directory, stat}) == wasi::Errno::success) {
    base = value<wasi::FdStat>(stat).inheriting;
    if ((oflags & wasi::open_flag::directory) != 0) base &= ~wasi::right::fd_write;
  }
  const std::uint32_t opened = room(4);
  const wasi::Errno error = call("path_open", {directory, lookup, put(path), bytes_of(path), oflags,
                                               base, ~wasi::Rights{0}, fdflags, opened});
  return {error, value<std::uint32_t>(opened)};
}

wasi::Errno FakeGuest::on_path(std::string_view name, std::uint32_t directory,
                               std::string_view path) {
  return call(name, {directory, put(path), bytes_of(path)});
}

wasi::Errno FakeGuest::stat(std::uint32_t directory, std::string_view path, std::uint32_t lookup,
                            wasi::FileStat* result) {
  const std::uint32_t place = room(sizeof(wasi::FileStat));
  const wasi::Errno error =
      call("path_filestat_get", {directory, lookup, put(path), bytes_of(path), place});
  if (result != nullptr) *result = value<wasi::FileStat>(place);
  return error;
}

wasi::Errno FakeGuest::symlink(std::string_view target, std::uint32_t directory,
                               std::string_view path) {
  return call("path_symlink",
              {put(target), bytes_of(target), directory, put(path), bytes_of(path)});
}

wasi::Errno FakeGuest::link(std::uint32_t from, std::string_view old_path, std::uint32_t to,
                            std::string_view new_path, std::uint32_t lookup) {
  return call("path_link", {from, lookup, put(old_path), bytes_of(old_path), to, put(new_path),
                            bytes_of(new_path)});
}

wasi::Errno FakeGuest::rename(std::uint32_t from, std::string_view old_path, std::uint32_t to,
                              std::string_view new_path) {
  return call("path_rename",
              {from, put(old_path), bytes_of(old_path), to, put(new_path), bytes_of(new_path)});
}

wasi::WasiResult<std::string> FakeGuest::readlink(std::uint32_t directory, std::string_view path) {
  const std::uint32_t buffer = room(4096);
  const std::uint32_t used = room(4);
  const wasi::Errno error =
      call("path_readlink", {directory, put(path), bytes_of(path), buffer, 4096, used});
  if (error != wasi::Errno::success) return wasi::refuse(error);
  return text(buffer, value<std::uint32_t>(used));
}

std::vector<std::string> FakeGuest::list(std::uint32_t directory) {
  constexpr std::uint32_t kBytes = 64 * 1024;
  const std::uint32_t buffer = room(kBytes);
  const std::uint32_t used_at = room(4);
  EXPECT_EQ(call("fd_readdir", {directory, buffer, kBytes, 0, used_at}), wasi::Errno::success);
  const auto used = value<std::uint32_t>(used_at);
  std::vector<std::string> names;
  for (std::uint32_t at = 0; at < used;) {
    const auto entry = value<wasi::DirectoryEntry>(buffer + at);
    at += sizeof(entry);
    const std::string name = text(buffer + at, entry.name_bytes);
    at += entry.name_bytes;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

WithFolders::WithFolders() : top_(ScratchDir::create("nur-wasi-test").value()) {
  for (const Path& folder : {inside(), readonly(), outside()}) {
    std::filesystem::create_directory(folder);
  }
  write_text(outside("secret.txt"), kSecret);
}

WasiOptions WithFolders::with_directories() const {
  WasiOptions options;
  options.preopens.push_back(Preopen::open(inside(), "/inside", true).value());
  options.preopens.push_back(Preopen::open(readonly(), "/readonly", false).value());
  return options;
}

void write_text(const Path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_text(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace nur
